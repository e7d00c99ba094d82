package fathom.task;

import fathom.Scope;
import fathom.Traced;
import fathom.data.Epochs;
import fathom.data.Rows;
import fathom.parallel.Collective;
import java.util.Arrays;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/// The facts of a training that a worker's [Session] may know. The constructor throws
/// `IllegalArgumentException` if batch or epochs are below 1 or `step` is negative.
///
/// @param workers the workers that share every batch, of which this worker is one
/// @param batch the number of examples of a batch, over all workers
/// @param epochs the number of epochs of the whole training
/// @param seed the seed of every random key
/// @param step the number of steps made so far, so that the data of the next one can be prefetched
/// @param stop whether the training is to stop
public record Setting(
    Collective workers, int batch, int epochs, long seed, long step, BooleanSupplier stop) {
  /// The number of examples that all workers together measure at a time.
  private static final int STRETCH = 1024;

  public Setting {
    if (batch < 1 || epochs < 1 || step < 0) {
      throw new IllegalArgumentException(
          "batch and epochs are at least 1 and steps 0 or more, but are %s, %s and %s"
              .formatted(batch, epochs, step));
    }
  }

  /// Returns the order in which epochs visit `count` examples, and their batches.
  public Epochs over(int count) {
    return new Epochs(seed, count, batch);
  }

  /// Returns whether to continue a long computation. A worker that does not continue reports this
  /// to [#sum].
  public boolean goesOn() {
    return !stop.getAsBoolean();
  }

  /// Replaces `sums` by its sum over the workers. If one of them has stopped in the middle, all
  /// throw [StoppedException], which the training catches; the evaluation is then repeated when the
  /// training continues.
  public void sum(double[] sums, boolean stopped) {
    sum(sums, stopped, workers);
  }

  static void sum(double[] sums, boolean stopped, Collective workers) {
    double[] all = Arrays.copyOf(sums, sums.length + 1);
    all[sums.length] = stopped ? 1 : 0;
    workers.allReduce(all);
    if (all[sums.length] > 0) {
      throw new StoppedException();
    }
    System.arraycopy(all, 0, sums, 0, sums.length);
  }

  /// Returns sums over `count` examples, which the workers share. `measure` adds the sums of some
  /// examples at a time, in a scope of their own. Every worker gets the same result. If a worker is
  /// asked to stop meanwhile, all throw [StoppedException].
  ///
  /// @param sums the number of sums
  public double[] measured(int count, int sums, Measure measure) {
    double[] all = new double[sums];
    int at = 0;
    for (; at < count && (at == 0 || goesOn()); at += STRETCH) {
      Rows own = share(new Rows(at, Math.min(count, at + STRETCH)));
      if (own.count() > 0) {
        try (var _ = Scope.open()) {
          measure.add(own, all);
        }
      }
    }
    sum(all, at < count);
    return all;
  }

  /// Returns the mean of a loss over `count` examples. Each worker computes the mean loss of its
  /// own share, which `loss` returns for the places of that share.
  public Figures figures(int count, Function<Rows, Traced> loss) {
    double[] sum =
        measured(count, 1, (own, sums) -> sums[0] += loss.apply(own).value().item() * own.count());
    return Figures.of(count, sum[0] / count);
  }

  /// Measures the examples `own` and adds the results to `sums`.
  @FunctionalInterface
  public interface Measure {
    void add(Rows own, double[] sums);
  }

  /// Returns this worker's share of `rows`.
  public Rows share(Rows rows) {
    return rows.share(workers.rank(), workers.size());
  }
}
