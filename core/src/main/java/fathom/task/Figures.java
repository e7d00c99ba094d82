package fathom.task;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.SequencedMap;
import java.util.stream.Collectors;

/// The results of evaluating a net on a part of the data, by name. Every task has "loss", the mean
/// over the examples, and a task adds its own, such as "error" in percent. The constructor throws
/// `IllegalArgumentException` if there is no loss.
///
/// @param count the number of examples, characters or pixels that were predicted
/// @param values the results by name, in the order in which they are shown
public record Figures(long count, SequencedMap<String, Double> values) {
  public static final String LOSS = "loss";

  public Figures {
    values = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(values));
    if (!values.containsKey(LOSS)) {
      throw new IllegalArgumentException(
          "every task measures a loss, but these figures are %s".formatted(values.keySet()));
    }
  }

  /// Returns figures that consist of the loss alone.
  public static Figures of(long count, double loss) {
    var values = new LinkedHashMap<String, Double>();
    values.put(LOSS, loss);
    return new Figures(count, values);
  }

  /// Returns these figures with one more.
  public Figures with(String name, double value) {
    var more = new LinkedHashMap<>(values);
    more.put(name, value);
    return new Figures(count, more);
  }

  /// Returns the mean loss over the examples.
  public double loss() {
    return get(LOSS);
  }

  /// Returns for example `loss 0.0431, error 1.1111 over 360`.
  @Override
  public String toString() {
    return values.entrySet().stream()
        .map(each -> String.format(Locale.ROOT, "%s %.4f", each.getKey(), each.getValue()))
        .collect(Collectors.joining(", ", "", " over " + count));
  }

  /// Returns the figure of this name. Throws `IllegalArgumentException` if there is none.
  public double get(String name) {
    Double value = values.get(name);
    if (value == null) {
      throw new IllegalArgumentException(
          "these figures have %s, but \"%s\" was asked for".formatted(values.keySet(), name));
    }
    return value;
  }
}
