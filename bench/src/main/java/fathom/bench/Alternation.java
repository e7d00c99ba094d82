package fathom.bench;

import java.util.List;
import java.util.function.DoubleSupplier;

/// Runs contenders in turn, so that other load on the machine affects all of them alike.
final class Alternation {
  private static final long REST_MILLIS = 60;

  private Alternation() {}

  /// Returns the milliseconds of `rounds` runs of each contender. There is a rest between two runs,
  /// because OpenMP's threads spin for a while after an operation, on the cores that the next
  /// contender needs.
  static double[][] of(int rounds, List<DoubleSupplier> contenders) {
    var runs = new double[contenders.size()][rounds];
    for (int round = 0; round < rounds; round++) {
      for (int i = 0; i < runs.length; i++) {
        rest();
        runs[i][round] = contenders.get(i).getAsDouble();
      }
    }
    return runs;
  }

  private static void rest() {
    try {
      Thread.sleep(REST_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("the benchmark was interrupted", e);
    }
  }

  /// Returns the mean of several runs in a row, as in real use; the first run finds cold caches and
  /// sleeping threads.
  static double mean(int count, DoubleSupplier run) {
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += run.getAsDouble();
    }
    return sum / count;
  }

  static double milliseconds(Runnable work) {
    long start = System.nanoTime();
    work.run();
    return (System.nanoTime() - start) / 1e6;
  }
}
