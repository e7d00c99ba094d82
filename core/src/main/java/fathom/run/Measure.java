package fathom.run;

import fathom.task.Figures;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/// A figure of an epoch or of a result, in the form in which people see it.
///
/// @param name the name in JSON
/// @param what the words for it within a sentence, such as "error"
/// @param unit the label of its axis and the head of its column, such as "error in %"
/// @param digits the number of digits after the decimal point
/// @param log whether its chart has a logarithmic scale
/// @param charted whether it has a chart
/// @param larger whether a larger figure is better
/// @param of computes it from the measured figures by their names; NaN if it was not measured
public record Measure(
    String name,
    String what,
    String unit,
    int digits,
    boolean log,
    boolean charted,
    boolean larger,
    ToDoubleFunction<Map<String, Double>> of) {
  /// A percentage of wrong predictions, of which fewer are better.
  static Measure percent(String name, String what, boolean charted) {
    return percent(name, what, charted, false);
  }

  /// A percentage that was measured under this name.
  static Measure percent(String name, String what, boolean charted, boolean larger) {
    return new Measure(name, what, what + " in %", 2, false, charted, larger, named(name));
  }

  /// The mean loss.
  static Measure loss() {
    return new Measure(
        "crossEntropy", "loss", "cross-entropy in nats", 4, true, true, false, named(Figures.LOSS));
  }

  static ToDoubleFunction<Map<String, Double>> named(String name) {
    return values -> values.getOrDefault(name, Double.NaN);
  }

  /// Returns this figure, computed from the measured figures.
  public double in(Map<String, Double> values) {
    return of.applyAsDouble(values);
  }

  /// Returns this figure with its digits, computed from the measured figures; empty if it was not
  /// measured.
  public String shown(Map<String, Double> values) {
    return shown(in(values));
  }

  /// Returns a number with the digits of this figure; empty for NaN.
  public String shown(double value) {
    return Double.isNaN(value) ? "" : String.format(Locale.ROOT, "%." + digits + "f", value);
  }
}
