package fathom.task;

import fathom.Scope;
import fathom.Traced;
import fathom.data.Epochs;
import fathom.data.Rows;
import fathom.parallel.Collective;
import java.util.Arrays;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

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
  /// How many examples all workers measure at a time.
  private static final int STRETCH = 1024;

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

  /// Sums over `count` examples, which the workers share: [Measure] adds those of each stretch of
  /// them, in a scope that ends with it. Every worker gets the same. If a worker is asked to stop
  /// meanwhile, all throw a [StoppedException].
  ///
  /// @param sums how many sums there are
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

  /// The mean of a loss over `count` examples, each worker taking it of its own.
  public Figures figures(int count, Function<Rows, Traced> loss) {
    double[] sum =
        measured(count, 1, (own, sums) -> sums[0] += loss.apply(own).value().item() * own.count());
    return Figures.of(count, sum[0] / count);
  }

  /// Measures the examples `own`, and adds what comes of it to `sums`.
  @FunctionalInterface
  public interface Measure {
    void add(Rows own, double[] sums);
  }

  /// This worker's share of `rows`.
  public Rows share(Rows rows) {
    return rows.share(workers.rank(), workers.size());
  }
}
