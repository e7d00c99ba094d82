package fathom.cli;

import fathom.bench.TrainingStep;
import fathom.net.CifarNet;
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
    footerHeading = "%nExample:%n",
    footer = "  fathom bench train --model resnet20 --batch 128")
final class BenchCommand implements Callable<Integer> {
  /// What can be measured.
  enum Suite {
    TRAIN
  }

  @Mixin private final Output output = new Output();

  @Parameters(
      arity = "0..*",
      paramLabel = "SUITE",
      description = "train: whole training steps on one batch in memory.")
  private List<Suite> suites = List.of(Suite.TRAIN);

  @Option(names = "--model", paramLabel = "MODEL", description = "Default: resnet20.")
  private String model = "resnet20";

  @Option(names = "--batch", paramLabel = "N", description = "Default: 128.")
  private int batch = 128;

  @Option(names = "--steps", paramLabel = "N", description = "Timed steps. Default: 40.")
  private int steps = 40;

  @Option(names = "--workers", paramLabel = "N", description = "Threads. Default: one per core.")
  private @Nullable Integer workers;

  /// A line of the table. No peer is measured yet.
  record Result(
      String suite,
      String name,
      String unit,
      double median,
      double low,
      double high,
      @Nullable String peer,
      @Nullable Double peerMedian,
      @Nullable Double ratio) {}

  @Override
  public Integer call() {
    CifarNet net = output.usage(() -> CifarNet.named(model));
    int threads = workers == null ? Runtime.getRuntime().availableProcessors() : workers;
    if (batch < 1 || steps < 1 || threads < 1) {
      throw output.refused("--batch, --steps and --workers are at least 1");
    }
    var results = new ArrayList<Result>();
    for (Suite suite : suites) {
      switch (suite) {
        case TRAIN -> results.add(train(net, threads));
      }
    }
    output.answer(
        Map.of("results", results),
        () ->
            output.table(
                List.of("suite", "what", "unit", "median", "low", "high"),
                results.stream()
                    .map(r ->
                        List.of(
                            r.suite,
                            r.name,
                            r.unit,
                            number(r.median),
                            number(r.low),
                            number(r.high)))
                    .toList()));
    return Exit.DONE;
  }

  private Result train(CifarNet net, int threads) {
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

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.1f", value);
  }
}
