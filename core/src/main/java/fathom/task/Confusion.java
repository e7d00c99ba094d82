package fathom.task;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;

/// The confusion matrix of a classifier: how often images of each class were predicted as each
/// class. Only pairs of classes that occurred are stored, so the size grows with the number of
/// images and not with the square of the number of classes.
public final class Confusion {
  /// The most classes for which a full table is written into a file or an answer. With more classes
  /// almost all of the table would be zeros: 100 classes are 10,000 numbers.
  public static final int MOST_IN_A_TABLE = 100;

  private static final Comparator<Pair> BY_CLASS =
      Comparator.comparingInt(Pair::truth).thenComparingInt(Pair::prediction);
  private static final Comparator<Pair> BY_TIMES = Comparator.comparingLong(pair -> -pair.times);

  private final int classes;

  /// Each pair of classes once, in the order of [#BY_CLASS].
  private final List<Pair> counts;

  /// The index in `counts` at which each class begins, and at the end the index at which the last
  /// class ends.
  private final int[] begins;

  /// A true class and a predicted class, perhaps the same one.
  ///
  /// @param truth the true class
  /// @param prediction the predicted class
  /// @param times how often images of the class `truth` were predicted as `prediction`
  public record Pair(int truth, int prediction, long times) {}

  /// Makes a confusion matrix of pairs in any order; pairs that are left out did not occur. Throws
  /// `IllegalArgumentException` for a class outside 0 to `classes - 1`, a pair that is given twice,
  /// or a number that is not positive.
  public Confusion(int classes, List<Pair> counts) {
    this.classes = classes;
    this.counts = counts.stream().sorted(BY_CLASS).toList();
    this.begins = new int[classes + 1];
    Pair before = null;
    for (Pair pair : this.counts) {
      if (pair.truth < 0
          || pair.truth >= classes
          || pair.prediction < 0
          || pair.prediction >= classes) {
        throw new IllegalArgumentException(
            "%s classes are 0 to %s, but class %s was taken for %s"
                .formatted(classes, classes - 1, pair.truth, pair.prediction));
      }
      if (pair.times <= 0) {
        throw new IllegalArgumentException(
            "what happened did so once or more, but class %s was taken %s times for %s"
                .formatted(pair.truth, pair.times, pair.prediction));
      }
      if (before != null && BY_CLASS.compare(before, pair) == 0) {
        throw new IllegalArgumentException(
            "a pair of classes is counted once, but class %s taken for %s is there twice"
                .formatted(pair.truth, pair.prediction));
      }
      before = pair;
      begins[pair.truth + 1]++;
    }
    for (int c = 0; c < classes; c++) {
      begins[c + 1] += begins[c];
    }
  }

  /// Makes a confusion matrix of `table[truth][prediction]`. Throws `IllegalArgumentException`
  /// unless the table has as many rows as columns and no number is negative.
  public static Confusion ofTable(long[][] table) {
    var counts = new ArrayList<Pair>();
    for (int truth = 0; truth < table.length; truth++) {
      addRow(counts, table[truth], truth, table.length);
    }
    return new Confusion(table.length, counts);
  }

  /// Adds the pairs of one row of such a table.
  private static void addRow(List<Pair> counts, long[] row, int truth, int classes) {
    if (row.length != classes) {
      throw new IllegalArgumentException(
          "of %s classes each was taken for %s, but class %s has %s counts"
              .formatted(classes, classes, truth, row.length));
    }
    for (int prediction = 0; prediction < row.length; prediction++) {
      if (row[prediction] != 0) {
        counts.add(new Pair(truth, prediction, row[prediction]));
      }
    }
  }

  /// Makes the confusion matrix of the label and the prediction of each image.
  public static Confusion of(int[] labels, int[] predictions, int classes) {
    var counts = new HashMap<Long, Long>();
    for (int i = 0; i < labels.length; i++) {
      counts.merge(labels[i] * (long) classes + predictions[i], 1L, Long::sum);
    }
    return new Confusion(
        classes,
        counts.entrySet().stream()
            .map(entry ->
                new Pair(
                    (int) (entry.getKey() / classes),
                    (int) (entry.getKey() % classes),
                    entry.getValue()))
            .toList());
  }

  /// Returns the number of classes.
  public int classes() {
    return classes;
  }

  /// Returns all pairs, right and wrong, ordered by true class and then by predicted class.
  public List<Pair> counts() {
    return counts;
  }

  /// Returns the full matrix as `table[truth][prediction]`. Its size is the square of the number of
  /// classes, so it is meant for few of them; see [#MOST_IN_A_TABLE].
  public long[][] table() {
    var table = new long[classes][classes];
    for (Pair pair : counts) {
      table[pair.truth][pair.prediction] = pair.times;
    }
    return table;
  }

  private List<Pair> row(int truth) {
    return counts.subList(begins[truth], begins[truth + 1]);
  }

  /// Returns the number of images of a class.
  public long count(int truth) {
    return row(truth).stream().mapToLong(Pair::times).sum();
  }

  /// Returns the number of images of a class that were predicted as another class.
  public long errors(int truth) {
    return mistakes(row(truth)).stream().mapToLong(Pair::times).sum();
  }

  /// Returns the wrong pairs of all classes, the most frequent first and equally frequent ones in
  /// the order of the classes. Pairs that did not occur are left out.
  public List<Pair> pairs() {
    return mistakes(counts);
  }

  /// Returns the wrong pairs of one true class, in the same order.
  public List<Pair> pairs(int truth) {
    return mistakes(row(truth));
  }

  private static List<Pair> mistakes(List<Pair> of) {
    return of.stream().filter(pair -> pair.truth != pair.prediction).sorted(BY_TIMES).toList();
  }
}
