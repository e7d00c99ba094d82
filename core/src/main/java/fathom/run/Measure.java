package fathom.run;

import fathom.task.Figures;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/// A figure of an epoch or a result, as people see it.
///
/// @param name in JSON
/// @param what it is, within a sentence: "error"
/// @param unit of its axis, and the head of its column: "error in %"
/// @param digits behind the point
/// @param log whether its chart has a logarithmic scale
/// @param charted whether there is one
/// @param larger whether a larger one is better
/// @param of from what was measured, by name; NaN where it was not
public record Measure(
    String name,
    String what,
    String unit,
    int digits,
    boolean log,
    boolean charted,
    boolean larger,
    ToDoubleFunction<Map<String, Double>> of) {
  /// Wrong answers, of which fewer are better.
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

  /// Its value among those that were measured.
  public double in(Map<String, Double> values) {
    return of.applyAsDouble(values);
  }

  /// Its value among those that were measured, with its digits; empty where it was not measured.
  public String shown(Map<String, Double> values) {
    return shown(in(values));
  }

  public String shown(double value) {
    return Double.isNaN(value) ? "" : String.format(Locale.ROOT, "%." + digits + "f", value);
  }
}
