package fathom.train;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/// How often the pictures of each class were taken for each class.
public final class Confusion {
  private final long[][] counts;

  /// A class that was taken for another one.
  ///
  /// @param times how often
  public record Pair(int truth, int guess, long times) {}

  /// `counts[truth][guess]`. Throws `IllegalArgumentException` unless there are as many rows as
  /// columns and no number is negative.
  public Confusion(long[][] counts) {
    this.counts = new long[counts.length][];
    for (int truth = 0; truth < counts.length; truth++) {
      this.counts[truth] = counts[truth].clone();
      if (counts[truth].length != counts.length) {
        throw new IllegalArgumentException(
            "of %s classes each was taken for %s, but class %s has %s counts"
                .formatted(counts.length, counts.length, truth, counts[truth].length));
      }
      for (long times : counts[truth]) {
        if (times < 0) {
          throw new IllegalArgumentException(
              "something happens 0 times or more, but a count of class %s is %s"
                  .formatted(truth, times));
        }
      }
    }
  }

  /// Of the label and the guess of each picture.
  static Confusion of(int[] labels, int[] guesses, int classes) {
    var counts = new long[classes][classes];
    for (int i = 0; i < labels.length; i++) {
      counts[labels[i]][guesses[i]]++;
    }
    return new Confusion(counts);
  }

  public int classes() {
    return counts.length;
  }

  /// `counts[truth][guess]`, a copy.
  public long[][] counts() {
    long[][] copy = counts.clone();
    for (int truth = 0; truth < copy.length; truth++) {
      copy[truth] = copy[truth].clone();
    }
    return copy;
  }

  /// The pictures of a class.
  public long count(int truth) {
    long sum = 0;
    for (long times : counts[truth]) {
      sum += times;
    }
    return sum;
  }

  /// The pictures of a class that were taken for another one.
  public long errors(int truth) {
    return count(truth) - counts[truth][truth];
  }

  /// Which classes were taken for which others, the most frequent pair first; of equally frequent
  /// ones in the order of the classes. Pairs that did not happen are left out.
  public List<Pair> pairs() {
    var pairs = new ArrayList<Pair>();
    for (int truth = 0; truth < counts.length; truth++) {
      pairs.addAll(pairs(truth));
    }
    pairs.sort(Comparator.comparingLong(pair -> -pair.times));
    return pairs;
  }

  /// The same of one class.
  public List<Pair> pairs(int truth) {
    var pairs = new ArrayList<Pair>();
    for (int guess = 0; guess < counts.length; guess++) {
      if (guess != truth && counts[truth][guess] > 0) {
        pairs.add(new Pair(truth, guess, counts[truth][guess]));
      }
    }
    pairs.sort(Comparator.comparingLong(pair -> -pair.times));
    return pairs;
  }
}
