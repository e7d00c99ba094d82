package fathom.task;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.SequencedMap;
import java.util.stream.Collectors;

/// What a net was measured to be on a part of the data, by name: "loss", the mean over the
/// examples, which every task has, and what the task adds, such as "error" in percent.
///
/// @param count how many examples, or characters, or pixels were predicted
public record Figures(long count, SequencedMap<String, Double> values) {
  public static final String LOSS = "loss";

  public Figures {
    values = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(values));
    if (!values.containsKey(LOSS)) {
      throw new IllegalArgumentException(
          "every task measures a loss, but these figures are %s".formatted(values.keySet()));
    }
  }

  /// The loss alone.
  public static Figures of(long count, double loss) {
    var values = new LinkedHashMap<String, Double>();
    values.put(LOSS, loss);
    return new Figures(count, values);
  }

  /// With one more.
  public Figures with(String name, double value) {
    var more = new LinkedHashMap<>(values);
    more.put(name, value);
    return new Figures(count, more);
  }

  public double loss() {
    return get(LOSS);
  }

  /// For example `loss 0.0431, error 1.1111 over 360`.
  @Override
  public String toString() {
    return values.entrySet().stream()
        .map(each -> String.format(Locale.ROOT, "%s %.4f", each.getKey(), each.getValue()))
        .collect(Collectors.joining(", ", "", " over " + count));
  }

  /// Throws `IllegalArgumentException` for a name that was not measured.
  public double get(String name) {
    Double value = values.get(name);
    if (value == null) {
      throw new IllegalArgumentException(
          "these figures have %s, but \"%s\" was asked for".formatted(values.keySet(), name));
    }
    return value;
  }
}
