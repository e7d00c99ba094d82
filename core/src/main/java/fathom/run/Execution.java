package fathom.run;

import fathom.train.Precision;

/// How a training is computed.
///
/// @param workers threads among which every batch is divided
/// @param shardStatistics whether batch norm's statistics are those of each worker's share
/// @param recompute how many blocks of a stage are computed again at a time on the way back, to
///   save memory; 0 for none. It changes no result
/// @param precision in which activations go from layer to layer
public record Execution(int workers, boolean shardStatistics, int recompute, Precision precision) {
  /// Throws `IllegalArgumentException` naming the component that is out of its range.
  public Execution {
    Parts.check("workers", workers, workers >= 1, "at least 1");
    Parts.check(
        "recompute", recompute, recompute >= 0, "a number of blocks, or 0 to compute none again");
  }

  /// In float32, all remembered, statistics over whole batches.
  public static Execution on(int workers) {
    return new Execution(workers, false, 0, Precision.FP32);
  }

  public Execution withWorkers(int workers) {
    return new Execution(workers, shardStatistics, recompute, precision);
  }

  public Execution withShardStatistics(boolean shardStatistics) {
    return new Execution(workers, shardStatistics, recompute, precision);
  }

  public Execution withRecompute(int recompute) {
    return new Execution(workers, shardStatistics, recompute, precision);
  }

  public Execution withPrecision(Precision precision) {
    return new Execution(workers, shardStatistics, recompute, precision);
  }
}
