package fathom.parallel;

import java.util.function.Supplier;

/// The training step in which a layer runs: the only thing that a layer may know beyond its
/// argument. The trainer binds it to the thread; only batch norm, dropout and losses read it. Where
/// no step is bound, there is one worker, which has the whole batch.
///
/// @param seed the run's seed, for random keys
/// @param index the number of the step since the start of the run, from 0
/// @param collective the workers among which the batch is divided
/// @param rows the number of examples of the whole batch, over all workers
/// @param statistics the workers over whose shares batch norm takes its statistics
public record Step(long seed, long index, Collective collective, int rows, Collective statistics) {
  private static final ScopedValue<Step> CURRENT = ScopedValue.newInstance();
  private static final Step ALONE = new Step(0, 0, Collective.ALONE, -1);

  /// A step whose batch norm takes its statistics over the whole batch.
  public Step(long seed, long index, Collective collective, int rows) {
    this(seed, index, collective, rows, collective);
  }

  /// Returns the step that is bound to this thread, or a single worker's step if none is bound.
  public static Step current() {
    return CURRENT.orElse(ALONE);
  }

  /// Runs `body` with this step bound to the thread and returns its result.
  public <T> T run(Supplier<T> body) {
    return ScopedValue.where(CURRENT, this).call(body::get);
  }

  /// Returns the position, in the whole batch, of the first of this worker's `own` examples. The
  /// shares of the workers follow one another in the order of ranks. Throws `IllegalStateException`
  /// unless `own` is the size of this worker's share.
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

  /// Returns the number of examples of the whole batch for a worker that has `own` of them.
  public long total(long own) {
    return rows < 0 ? own : rows;
  }
}
