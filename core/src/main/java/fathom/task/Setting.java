package fathom.task;

import fathom.Collective;
import fathom.data.Epochs;
import fathom.data.Rows;
import java.util.Arrays;
import java.util.function.BooleanSupplier;

/// What a worker's [Session] may know of the training it is part of.
///
/// @param workers among whom every batch is divided; this worker is one of them
/// @param batch the examples of a batch, over all workers
/// @param epochs how many there are in all
/// @param seed decides every random key
/// @param step how many steps have been made already, so that what the next one needs can be
///   prefetched
/// @param stop whether the training is to stop
public record Setting(
    Collective workers, int batch, int epochs, long seed, long step, BooleanSupplier stop) {
  public Setting {
    if (batch < 1 || epochs < 1 || step < 0) {
      throw new IllegalArgumentException(
          "batch and epochs are at least 1 and steps 0 or more, but are %s, %s and %s"
              .formatted(batch, epochs, step));
    }
  }

  /// The order in which epochs visit `count` examples, and their batches.
  public Epochs over(int count) {
    return new Epochs(seed, count, batch);
  }

  /// Whether to go on with what takes long; whoever does not says so in [#sum].
  public boolean goesOn() {
    return !stop.getAsBoolean();
  }

  /// Replaces `sums` by its sum over the workers. If one of them has stopped in the middle, all
  /// throw a [StoppedException], which the training catches: an evaluation is made again when it
  /// goes on.
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

  /// This worker's share of `rows`.
  public Rows share(Rows rows) {
    return rows.share(workers.rank(), workers.size());
  }
}
