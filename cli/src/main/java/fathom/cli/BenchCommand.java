package fathom.cli;

import fathom.Scope;
import fathom.bench.MemorySuite;
import fathom.bench.NormSuite;
import fathom.bench.RecurrentSuite;
import fathom.bench.Result;
import fathom.bench.TrainingStep;
import fathom.net.Architecture;
import fathom.nn.Init;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "bench",
    description = "Measures the speed and the memory of Fathom on this machine.",
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  fathom bench train --model resnet20 --batch 128",
      "  fathom bench memory --model resnet1202 --recompute auto",
      "  FATHOM_PEERS=venv fathom bench norm rnn --json"
    })
final class BenchCommand implements Callable<Integer> {
  /// What can be measured.
  enum Suite {
    TRAIN,
    NORM,
    RNN,
    MEMORY
  }

  @Mixin private final Output output = new Output();

  @Parameters(
      arity = "0..*",
      paramLabel = "SUITE",
      description = {
        "train: whole training steps on one batch in memory.",
        "norm: layer norm, alone and behind an addition, against libtorch's.",
        "rnn: LSTM and GRU, with layer norm and without, against PyTorch's.",
        "memory: the most memory resident in a few training steps, of a process of its own (Linux)."
      })
  private List<Suite> suites = List.of(Suite.TRAIN);

  @Option(
      names = "--model",
      paramLabel = "MODEL",
      description = "train, memory: resnetN or plainN. Default: resnet20.")
  private String model = "resnet20";

  @Option(names = "--batch", paramLabel = "N", description = "Default: 128.")
  private int batch = 128;

  @Option(
      names = "--recompute",
      paramLabel = "K|auto",
      description = "train, memory: as of \"fathom train\". Default: 0.")
  private String recompute = "0";

  @Option(names = "--steps", paramLabel = "N", description = "Timed steps. Default: 40.")
  private int steps = 40;

  @Option(names = "--workers", paramLabel = "N", description = "Threads. Default: one per core.")
  private @Nullable Integer workers;

  @Option(
      names = "--rounds",
      paramLabel = "N",
      description = "norm, rnn: runs of each contender, in turn. Default: 21.")
  private int rounds = 21;

  @Override
  public Integer call() {
    Architecture.Convolutional net = output.usage(() -> Architecture.Convolutional.named(model));
    int threads = workers == null ? Runtime.getRuntime().availableProcessors() : workers;
    if (batch < 1 || steps < 1 || threads < 1 || rounds < 1) {
      throw output.refused("--batch, --steps, --rounds and --workers are at least 1");
    }
    int blocks = output.usage(() -> RecomputeOption.blocks(recompute, net));
    var results = new ArrayList<Result>();
    for (Suite suite : suites) {
      switch (suite) {
        case TRAIN -> results.add(train(net, threads, blocks));
        case NORM -> results.addAll(NormSuite.run(rounds));
        case RNN -> {
          String missing = RecurrentSuite.missingPeers();
          if (missing != null) {
            output.err().println("fathom: " + missing);
          }
          results.addAll(RecurrentSuite.run(rounds, threads));
        }
        case MEMORY -> {
          String unavailable = MemorySuite.unavailable();
          if (unavailable != null) {
            output.err().println("fathom: " + unavailable);
          } else {
            results.add(memory(net, threads, blocks));
          }
        }
      }
    }
    output.answer(
        Map.of("results", results),
        () ->
            output.table(
                List.of(
                    "suite",
                    "what",
                    "unit",
                    "median",
                    "low",
                    "high",
                    "peer",
                    "its median",
                    "ratio"),
                results.stream()
                    .map(r ->
                        List.of(
                            r.suite(),
                            r.name(),
                            r.unit(),
                            number(r.median()),
                            number(r.low()),
                            number(r.high()),
                            r.peer() == null ? "" : r.peer(),
                            number(r.peerMedian()),
                            number(r.ratio())))
                    .toList()));
    return Exit.DONE;
  }

  private Result memory(Architecture.Convolutional net, int threads, int blocks) {
    long parameters;
    try (var _ = Scope.open()) {
      parameters =
          net.build(Init.zeros()).params().stream()
              .mapToLong(p -> p.value().shape().elements())
              .sum();
    }
    return MemorySuite.run(
        "%s, %s parameters".formatted(name(net, threads, blocks), Count.exact(parameters)),
        net,
        batch,
        threads,
        blocks);
  }

  /// What is trained and how, for people.
  private String name(Architecture.Convolutional net, int threads, int blocks) {
    return "%s, batch %d, fp32, %d workers%s"
        .formatted(net.name(), batch, threads, blocks == 0 ? "" : ", recompute " + blocks);
  }

  private Result train(Architecture.Convolutional net, int threads, int blocks) {
    var timing = new TrainingStep(net, batch, steps, threads, blocks).run();
    return new Result(
        "train",
        name(net, threads, blocks),
        "images/s",
        batch / timing.median(),
        batch / timing.high(),
        batch / timing.low(),
        null,
        null,
        null);
  }

  private static String number(@Nullable Double value) {
    return value == null ? "" : String.format(Locale.ROOT, "%.2f", value);
  }
}
