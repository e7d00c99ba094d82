package fathom.task;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;

/// How often the images of each class were taken for each class. Only what happened is kept, so its
/// size grows with the images, not with the square of the classes.
public final class Confusion {
  /// With more classes than this a table of all classes by all classes is written into no file and
  /// no answer, because almost all of it would be zeros: 100 classes are 10,000 numbers.
  public static final int MOST_IN_A_TABLE = 100;

  private static final Comparator<Pair> BY_CLASS =
      Comparator.comparingInt(Pair::truth).thenComparingInt(Pair::prediction);
  private static final Comparator<Pair> BY_TIMES = Comparator.comparingLong(pair -> -pair.times);

  private final int classes;

  /// In the order of [#BY_CLASS], each pair of classes once.
  private final List<Pair> counts;

  /// Where in `counts` each class begins, and at the end where the last one ends.
  private final int[] begins;

  /// A class that was taken for a class, perhaps the right one.
  ///
  /// @param times how often
  public record Pair(int truth, int prediction, long times) {}

  /// What happened: each pair of classes at most once, in any order; those that are left out did
  /// not happen. Throws `IllegalArgumentException` for a class that is none of so many, a pair that
  /// is there twice, or a number that is not positive.
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

  /// `table[truth][prediction]`. Throws `IllegalArgumentException` unless there are as many rows as
  /// columns and no number is negative.
  public static Confusion ofTable(long[][] table) {
    var counts = new ArrayList<Pair>();
    for (int truth = 0; truth < table.length; truth++) {
      addRow(counts, table[truth], truth, table.length);
    }
    return new Confusion(table.length, counts);
  }

  /// What happened in a row of such a table.
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

  /// Of the label and the prediction of each image.
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

  public int classes() {
    return classes;
  }

  /// All that happened, right and wrong, in the order of the classes and then of what they were
  /// taken for.
  public List<Pair> counts() {
    return counts;
  }

  /// `table[truth][prediction]`: the square of the classes, so for few of them, see
  /// [#MOST_IN_A_TABLE].
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

  /// The images of a class.
  public long count(int truth) {
    return row(truth).stream().mapToLong(Pair::times).sum();
  }

  /// The images of a class that were taken for another one.
  public long errors(int truth) {
    return mistakes(row(truth)).stream().mapToLong(Pair::times).sum();
  }

  /// Which classes were taken for which others, the most frequent pair first; of equally frequent
  /// ones in the order of the classes. Pairs that did not happen are left out.
  public List<Pair> pairs() {
    return mistakes(counts);
  }

  /// The same of one class.
  public List<Pair> pairs(int truth) {
    return mistakes(row(truth));
  }

  private static List<Pair> mistakes(List<Pair> of) {
    return of.stream().filter(pair -> pair.truth != pair.prediction).sorted(BY_TIMES).toList();
  }
}
