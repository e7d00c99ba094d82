package fathom.cli;

import fathom.bench.NormSuite;
import fathom.bench.RecurrentSuite;
import fathom.bench.Result;
import fathom.bench.TrainingStep;
import fathom.net.Architecture;
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
    description = "Measures the speed of Fathom on this machine.",
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  fathom bench train --model resnet20 --batch 128",
      "  FATHOM_PEERS=venv fathom bench norm rnn --json"
    })
final class BenchCommand implements Callable<Integer> {
  /// What can be measured.
  enum Suite {
    TRAIN,
    NORM,
    RNN
  }

  @Mixin private final Output output = new Output();

  @Parameters(
      arity = "0..*",
      paramLabel = "SUITE",
      description = {
        "train: whole training steps on one batch in memory.",
        "norm: layer norm, alone and behind an addition, against libtorch's.",
        "rnn: LSTM and GRU, with layer norm and without, against PyTorch's."
      })
  private List<Suite> suites = List.of(Suite.TRAIN);

  @Option(names = "--model", paramLabel = "MODEL", description = "Default: resnet20.")
  private String model = "resnet20";

  @Option(names = "--batch", paramLabel = "N", description = "Default: 128.")
  private int batch = 128;

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
    var results = new ArrayList<Result>();
    for (Suite suite : suites) {
      switch (suite) {
        case TRAIN -> results.add(train(net, threads));
        case NORM -> results.addAll(NormSuite.run(rounds));
        case RNN -> {
          String missing = RecurrentSuite.missingPeers();
          if (missing != null) {
            output.err().println("fathom: " + missing);
          }
          results.addAll(RecurrentSuite.run(rounds, threads));
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

  private Result train(Architecture.Convolutional net, int threads) {
    var timing = new TrainingStep(net, batch, steps, threads).run();
    return new Result(
        "train",
        "%s, batch %d, fp32, %d workers".formatted(net.name(), batch, threads),
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
