package fathom.run;

import fathom.train.Precision;

/// How a training is computed.
///
/// @param workers the number of threads of each process, among which every batch is divided
/// @param shardStatistics whether each worker takes batch norm's statistics from its own share only
/// @param recompute the number of blocks of a stage that the backward pass recomputes at a time, to
///   save memory; 0 for none. It changes no result
/// @param precision the type of the activations between the layers
/// @param processes the number of processes, each of which has as many workers
/// @param syncBatchNorm whether batch norm's statistics are over the batch of all processes, and
///   not over that of each process
public record Execution(
    int workers,
    boolean shardStatistics,
    int recompute,
    Precision precision,
    int processes,
    boolean syncBatchNorm) {
  /// Throws `IllegalArgumentException` naming the component that is out of its range.
  public Execution {
    Parts.check("workers", workers, workers >= 1, "at least 1");
    Parts.check(
        "recompute", recompute, recompute >= 0, "a number of blocks, or 0 to compute none again");
    Parts.check("processes", processes, processes >= 1, "at least 1");
  }

  /// Returns an execution in float32 that recomputes nothing and takes statistics over whole
  /// batches.
  public static Execution on(int workers) {
    return new Execution(workers, false, 0, Precision.FP32, 1, false);
  }

  /// Returns this execution with another number of workers.
  public Execution withWorkers(int workers) {
    return new Execution(workers, shardStatistics, recompute, precision, processes, syncBatchNorm);
  }

  /// Returns this execution with batch norm's statistics per share or over whole batches.
  public Execution withShardStatistics(boolean shardStatistics) {
    return new Execution(workers, shardStatistics, recompute, precision, processes, syncBatchNorm);
  }

  /// Returns this execution with another number of blocks to recompute.
  public Execution withRecompute(int recompute) {
    return new Execution(workers, shardStatistics, recompute, precision, processes, syncBatchNorm);
  }

  /// Returns this execution with another precision.
  public Execution withPrecision(Precision precision) {
    return new Execution(workers, shardStatistics, recompute, precision, processes, syncBatchNorm);
  }

  /// Returns this execution over so many processes.
  ///
  /// @param syncBatchNorm whether batch norm's statistics are over the batch of all of them
  public Execution over(int processes, boolean syncBatchNorm) {
    return new Execution(workers, shardStatistics, recompute, precision, processes, syncBatchNorm);
  }

  /// Returns the number of shares of a batch over each of which batch norm has statistics of its
  /// own.
  int shares() {
    return shardStatistics ? workers * processes : syncBatchNorm ? 1 : processes;
  }
}
