package fathom.cli;

import fathom.data.Decoders;
import fathom.net.Architecture;
import fathom.parallel.Launch;
import fathom.parallel.Workers;
import fathom.run.Execution;
import fathom.train.Precision;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The options for how a training is computed: an [Execution] as the user wants it, and the number
/// of threads that decode images.
final class ExecutionOptions {
  @OnResume
  @Option(
      names = "--workers",
      paramLabel = "N",
      description =
          "Threads that share every batch. Default: one per core. Of each process if there are several.")
  private @Nullable Integer workers;

  @Rare
  @Option(
      names = "--shard-statistics",
      description = "Batch norm's statistics per worker, as on the paper's two GPUs.")
  private boolean shardStatistics;

  @OnResume
  @Rare
  @Option(
      names = "--recompute",
      paramLabel = "K|auto",
      description =
          "Needs less memory for one more forward pass a step. For resnetN and plainN: only "
              + "what goes into every K-th block of a stage is remembered, and the blocks are "
              + "computed again in the backward pass, with the same result to the bit. auto: half "
              + "the root of the number of blocks. Default: 0, remember all.")
  private @Nullable String recompute;

  @Option(
      names = "--precision",
      paramLabel = "fp32|bf16",
      description =
          "The type of the activations. Default: fp32. bf16, for resnetN and plainN: half of "
              + "the memory, and faster on processors that have it; weights, sums and evaluations "
              + "stay in fp32.")
  private @Nullable Precision precision;

  @OnResume
  @Rare
  @Option(
      names = "--decoders",
      paramLabel = "N",
      description = {
        "Threads that decode images ahead, where they stay in their files. It changes no weight.",
        "Default: one per core."
      })
  private @Nullable Integer decoders;

  /// Throws `IllegalArgumentException` if a number of threads is outside its range.
  void check() {
    Decoders.check(decoders());
    Workers.check(workers());
  }

  int workers() {
    return workers == null ? Launch.here().threads() : workers;
  }

  int decoders() {
    return decoders == null ? Launch.here().threads() : decoders;
  }

  Execution of(Execution usual, Architecture net) {
    Execution of = shardStatistics ? usual.withShardStatistics(true) : usual;
    of = workers == null ? of : of.withWorkers(workers);
    of = precision == null ? of : of.withPrecision(precision);
    return recompute == null ? of : of.withRecompute(RecomputeOption.blocks(recompute, net));
  }
}
