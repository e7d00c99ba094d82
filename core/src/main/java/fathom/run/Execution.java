package fathom.run;

import fathom.train.Precision;

/// How a training is computed.
///
/// @param workers the number of threads among which every batch is divided
/// @param shardStatistics whether each worker takes batch norm's statistics from its own share only
/// @param recompute the number of blocks of a stage that the backward pass recomputes at a time, to
///   save memory; 0 for none. It changes no result
/// @param precision the type of the activations between the layers
public record Execution(int workers, boolean shardStatistics, int recompute, Precision precision) {
  /// Throws `IllegalArgumentException` naming the component that is out of its range.
  public Execution {
    Parts.check("workers", workers, workers >= 1, "at least 1");
    Parts.check(
        "recompute", recompute, recompute >= 0, "a number of blocks, or 0 to compute none again");
  }

  /// Returns an execution in float32 that recomputes nothing and takes statistics over whole
  /// batches.
  public static Execution on(int workers) {
    return new Execution(workers, false, 0, Precision.FP32);
  }

  /// Returns this execution with another number of workers.
  public Execution withWorkers(int workers) {
    return new Execution(workers, shardStatistics, recompute, precision);
  }

  /// Returns this execution with batch norm's statistics per share or over whole batches.
  public Execution withShardStatistics(boolean shardStatistics) {
    return new Execution(workers, shardStatistics, recompute, precision);
  }

  /// Returns this execution with another number of blocks to recompute.
  public Execution withRecompute(int recompute) {
    return new Execution(workers, shardStatistics, recompute, precision);
  }

  /// Returns this execution with another precision.
  public Execution withPrecision(Precision precision) {
    return new Execution(workers, shardStatistics, recompute, precision);
  }
}
