package fathom.train;

import fathom.task.Figures;
import fathom.task.Objective;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/// The sums of an epoch so far: the losses of its examples, and what the task counts.
final class Sums {
  private final List<String> names;
  private final double[] counts;
  private double loss;
  private long examples;

  /// Starts at zero.
  ///
  /// @param names the names of what the task counts
  Sums(List<String> names) {
    this.names = names;
    this.counts = new double[names.size()];
  }

  /// A worker's share of a step in one array, to be summed over the workers: the loss, the counts,
  /// and at the end 1 if the training is to stop.
  double[] of(Objective share, boolean stop) {
    if (share.counts().length != counts.length) {
      throw new IllegalStateException(
          "this task counts %s, but its step has %s counts"
              .formatted(names, share.counts().length));
    }
    double[] all = new double[counts.length + 2];
    all[0] = share.loss();
    System.arraycopy(share.counts(), 0, all, 1, counts.length);
    all[counts.length + 1] = stop ? 1 : 0;
    return all;
  }

  static boolean stops(double[] summed) {
    return summed[summed.length - 1] > 0;
  }

  /// Adds a step of `of` examples, from the sum of the shares.
  void add(double[] summed, int of) {
    loss += summed[0] * of;
    for (int i = 0; i < counts.length; i++) {
      counts[i] += summed[i + 1];
    }
    examples += of;
  }

  /// The mean loss, and each count as a percentage of the examples.
  Figures figures() {
    Figures figures = Figures.of(examples, loss / examples);
    for (int i = 0; i < counts.length; i++) {
      figures = figures.with(names.get(i), 100 * counts[i] / examples);
    }
    return figures;
  }

  void clear() {
    loss = 0;
    Arrays.fill(counts, 0);
    examples = 0;
  }

  /// The sums by the names that a checkpoint uses.
  SequencedMap<String, Double> stored() {
    var stored = new LinkedHashMap<String, Double>();
    stored.put(Figures.LOSS, loss);
    for (int i = 0; i < counts.length; i++) {
      stored.put(names.get(i), counts[i]);
    }
    return stored;
  }

  /// The number of examples that the sums are over.
  long examples() {
    return examples;
  }

  /// Continues from sums that were stored after `seen` examples of the epoch.
  void restore(Map<String, Double> stored, long seen) {
    loss = stored.getOrDefault(Figures.LOSS, 0.0);
    for (int i = 0; i < counts.length; i++) {
      counts[i] = stored.getOrDefault(names.get(i), 0.0);
    }
    examples = seen;
  }

  /// The names under which [#stored()] has the sums.
  List<String> names() {
    return List.copyOf(stored().keySet());
  }
}
