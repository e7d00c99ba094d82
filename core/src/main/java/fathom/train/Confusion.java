package fathom.train;

import fathom.Tensor;
import fathom.data.Pictures;
import fathom.data.Rows;
import java.util.concurrent.atomic.AtomicLongArray;

/// How often the pictures of each class were taken for each class, counted while they are evaluated
/// by any number of workers.
public final class Confusion {
  private final int[] labels;
  private final int classes;
  private final AtomicLongArray counts;

  /// Of these pictures, nothing counted yet.
  public Confusion(Pictures pictures, int classes) {
    this.labels = pictures.labels();
    this.classes = classes;
    this.counts = new AtomicLongArray(classes * classes);
  }

  /// Counts what was predicted of the pictures at these places; an [Evaluation.Look].
  public void add(Rows places, Tensor logits) {
    int[] guesses = logits.argMax();
    for (int i = 0; i < guesses.length; i++) {
      counts.incrementAndGet(labels[places.from() + i] * classes + guesses[i]);
    }
  }

  /// `counts[truth][guess]`.
  public long[][] counts() {
    long[][] table = new long[classes][classes];
    for (int i = 0; i < classes * classes; i++) {
      table[i / classes][i % classes] = counts.get(i);
    }
    return table;
  }

  /// The pictures of a class.
  public long count(int truth) {
    long sum = 0;
    for (int guess = 0; guess < classes; guess++) {
      sum += counts.get(truth * classes + guess);
    }
    return sum;
  }
}
