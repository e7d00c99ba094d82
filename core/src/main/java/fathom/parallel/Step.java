package fathom.parallel;

import java.util.function.Supplier;

/// What a layer may know beyond its argument: the training step it is part of. The trainer binds it
/// to the thread; only batch norm, dropout and losses read it. Where none is bound, one worker has
/// the whole batch.
///
/// @param seed the run's seed, for draws
/// @param index the number of the step since the start of the run, from 0
/// @param collective the workers among whom the batch is divided
/// @param rows the examples of the whole batch, over all workers
public record Step(long seed, long index, Collective collective, int rows) {
  private static final ScopedValue<Step> CURRENT = ScopedValue.newInstance();
  private static final Step ALONE = new Step(0, 0, Collective.ALONE, -1);

  /// The step of this thread.
  public static Step current() {
    return CURRENT.orElse(ALONE);
  }

  /// Runs `body` with this step bound to the thread.
  public <T> T run(Supplier<T> body) {
    return ScopedValue.where(CURRENT, this).call(body::get);
  }

  /// The position in the whole batch of the first of this worker's `own` examples; the shares of
  /// the workers follow one another. Throws `IllegalStateException` unless `own` is this worker's
  /// share.
  public long first(long own) {
    if (rows < 0) {
      return 0;
    }
    long from = (long) rows * collective.rank() / collective.size();
    long to = (long) rows * (collective.rank() + 1) / collective.size();
    if (to - from != own) {
      throw new IllegalStateException(
          "worker %s of %s has %s of the batch's %s examples, but this argument has %s rows; it needs a row for each example"
              .formatted(collective.rank(), collective.size(), to - from, rows, own));
    }
    return from;
  }

  /// The examples of the whole batch, for a worker that has `own` of them.
  public long total(long own) {
    return rows < 0 ? own : rows;
  }
}
