package fathom.cli;

import fathom.Scope;
import fathom.bench.Baseline;
import fathom.bench.DataSuite;
import fathom.bench.InferSuite;
import fathom.bench.MemorySuite;
import fathom.bench.NormSuite;
import fathom.bench.Peers;
import fathom.bench.RecurrentSuite;
import fathom.bench.Result;
import fathom.bench.ServeSuite;
import fathom.bench.StartSuite;
import fathom.bench.TrainSuite;
import fathom.net.Architecture;
import fathom.nn.Init;
import fathom.parallel.Workers;
import fathom.train.Machine;
import fathom.train.Precision;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
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
      "  FATHOM_PEERS=venv fathom bench norm rnn --json > before.json",
      "  FATHOM_PEERS=venv fathom bench norm rnn --against before.json",
      "  fathom bench data --model resnet50 --batch 8",
      "  fathom bench infer --model resnet50 --batch 8 --peers maven"
    })
final class BenchCommand implements Callable<Integer> {
  enum Suite {
    TRAIN,
    NORM,
    RNN,
    INFER,
    DATA,
    MEMORY,
    START,
    SERVE;

    /// Returns whether other systems do the same work in this suite.
    boolean hasPeers() {
      return this == TRAIN || this == INFER || this == RNN;
    }
  }

  /// The largest `--batch` that is accepted, because the images of a batch lie in one Java array.
  private static final int MOST_IMAGES = 100_000;

  @Mixin private final Output output = new Output();

  @Parameters(
      index = "0..*",
      arity = "1", // with 0..*, picocli reports an unknown suite as one argument too many
      defaultValue = "train",
      paramLabel = "SUITE",
      description = {
        "train: whole training steps on one batch in memory, against PyTorch's, JAX's and DJL's.",
        "norm: layer norm, alone and behind an addition, against libtorch's.",
        "rnn: LSTM and GRU, with layer norm and without, against PyTorch's.",
        "infer: the prediction of a batch by the folded net, against PyTorch's and ONNX Runtime's.",
        "data: batches of images from memory and from JPEG files, and what making them adds to a"
            + " step.",
        "memory: the most memory resident in a few training steps, of a process of its own"
            + " (Linux).",
        "start: from the start of the JVM to the end of the first training step.",
        "serve: the service beside the library alone, the times of its answers at half of what it"
            + " can do, twice as much for a minute, and stops under load.",
        "Default: ${DEFAULT-VALUE}."
      })
  private List<Suite> suites = List.of();

  @Option(
      names = "--model",
      paramLabel = "MODEL",
      description = "resnetN or plainN. Default: resnet20.")
  private String model = "resnet20";

  @Option(
      names = "--batch",
      paramLabel = "N",
      description = "Images in a batch. Default: 128; 1, 8 and 128 for infer.")
  private @Nullable Integer batch;

  @Option(
      names = "--recompute",
      paramLabel = "K|auto",
      description = "train, memory: as of \"fathom train\". Default: 0.")
  private String recompute = "0";

  @Option(
      names = "--precision",
      paramLabel = "fp32|bf16",
      description = "train, memory, infer: the type of the activations. Default: fp32.")
  private Precision precision = Precision.FP32;

  @Option(names = "--workers", paramLabel = "N", description = "Threads. Default: one per core.")
  private @Nullable Integer workers;

  @Option(
      names = "--rounds",
      paramLabel = "N",
      description = "Runs of each contender, in turn. Default: 21.")
  private int rounds = 21;

  @Option(
      names = "--peers",
      split = ",",
      paramLabel = "python,maven",
      description = {
        "python: PyTorch and JAX of the environment that FATHOM_PEERS names.",
        "maven: ONNX Runtime (infer) and DJL (train), which Maven downloads. Default: python."
      })
  private Set<Peers.Kind> peers = EnumSet.of(Peers.Kind.PYTHON);

  @Option(
      names = "--against",
      paramLabel = "FILE",
      description = {
        "Compare with what --json printed earlier; exit code 1 if a figure got worse.",
        "A figure has changed if its medians differ by more than 5 %% and each lies outside of the"
            + " other's lowest and highest run, and if the ratios to peers in both changed as much."
      })
  private @Nullable Path against;

  @Option(
      names = "--table",
      paramLabel = "FILE",
      description = {
        "Measure nothing: print what --json printed earlier as a Markdown table.",
        "With --against, compare the two files."
      })
  private @Nullable Path table;

  @Override
  public Integer call() {
    Architecture.Convolutional net = output.usage(() -> Architecture.Convolutional.named(model));
    int threads = workers == null ? Runtime.getRuntime().availableProcessors() : workers;
    if (batch != null && (batch < 1 || batch > MOST_IMAGES)) {
      throw output.refused(
          "--batch is at least 1 and at most %s, but is %s".formatted(MOST_IMAGES, batch));
    }
    if (rounds < 1) {
      throw output.refused("--rounds is at least 1, but is " + rounds);
    }
    output.usage(() -> {
      Workers.check(threads);
      return threads;
    });
    int blocks = output.usage(() -> RecomputeOption.blocks(recompute, net));
    int images = batch == null ? 128 : batch;
    List<Result> before = against == null ? List.of() : Baseline.read(against);
    if (table != null) {
      List<Result> saved = Baseline.read(table);
      return answer(saved, before, () -> markdown(saved));
    }
    Peers others = peers();
    var results = new ArrayList<Result>();
    for (Suite suite : suites) {
      switch (suite) {
        case TRAIN ->
            results.addAll(TrainSuite.run(net, images, rounds, threads, blocks, precision, others));
        case NORM -> results.addAll(NormSuite.run(rounds));
        case RNN -> results.addAll(RecurrentSuite.run(rounds, threads, others));
        case INFER -> results.addAll(InferSuite.run(net, batches(), rounds, precision, others));
        case DATA -> results.addAll(DataSuite.run(net, images, rounds, threads));
        case START -> results.addAll(StartSuite.run(net, images, rounds, threads));
        case SERVE -> results.addAll(ServeSuite.run(net, rounds, Main.class));
        case MEMORY -> {
          String unavailable = MemorySuite.unavailable();
          if (unavailable != null) {
            output.err().println("fathom: " + unavailable);
          } else {
            results.add(memory(net, images, threads, blocks, precision));
          }
        }
      }
    }
    return answer(results, before, () -> print(results));
  }

  /// Prints the results, and what changed since the baseline if there is one.
  private int answer(List<Result> results, List<Result> before, Runnable text) {
    var answer = new LinkedHashMap<String, Object>();
    answer.put("peak", peak(results));
    answer.put("results", results);
    if (table == null) {
      answer.put("processor", Machine.processorName());
      answer.put("date", LocalDate.now(ZoneId.systemDefault()).toString());
    }
    if (against == null) {
      output.answer(answer, text);
      return Exit.DONE;
    }
    Baseline.Changes changes = Baseline.compare(before, results);
    answer.put("against", changes);
    output.answer(
        answer,
        () -> {
          text.run();
          changes.slower().forEach(change -> print("worse", change));
          changes.faster().forEach(change -> print("better", change));
          output
              .out()
              .printf(
                  Locale.ROOT,
                  "Of %d figures that are in %s too, %d got worse and %d better beyond noise.%n",
                  changes.compared(),
                  against,
                  changes.slower().size(),
                  changes.faster().size());
        });
    return changes.slower().isEmpty() ? Exit.DONE : Exit.FAILED;
  }

  private void print(String what, Baseline.Change change) {
    output
        .out()
        .printf(
            Locale.ROOT,
            "%s: %s %s, %.2f %s before, %.2f now (%.2f times)%n",
            what,
            change.suite(),
            change.name(),
            change.before(),
            change.unit(),
            change.now(),
            change.ratio());
  }

  /// Prints the table of docs/results.md.
  private void markdown(List<Result> results) {
    output.out().println("| what | unit | Fathom | low to high | against | its median | ratio |");
    output.out().println("| --- | --- | --- | --- | --- | --- | --- |");
    for (Result r : results) {
      output
          .out()
          .printf(
              Locale.ROOT,
              "| %s | %s | %s | %s to %s | %s | %s | %s |%n",
              r.name(),
              r.unit(),
              number(r.median()),
              number(r.low()),
              number(r.high()),
              r.peer() == null ? "" : r.peer(),
              theirs(r),
              number(r.ratio()));
    }
  }

  private void print(List<Result> results) {
    output.table(
        List.of("suite", "what", "unit", "median", "low", "high", "peer", "its median", "ratio"),
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
                    theirs(r),
                    number(r.ratio())))
            .toList());
  }

  private static String theirs(Result r) {
    return r.peer() != null && r.peerMedian() == null ? "not installed" : number(r.peerMedian());
  }

  /// Returns the throughput of large matrix products in GFLOP/s, or an empty map if no suite
  /// measured it.
  private static Map<String, Double> peak(List<Result> results) {
    return results.stream()
        .filter(r -> r.unit().equals("GFLOP/s"))
        .findFirst()
        .map(r -> Map.of("gflops", r.median()))
        .orElse(Map.of());
  }

  private static Result memory(
      Architecture.Convolutional net, int batch, int threads, int blocks, Precision precision) {
    long parameters;
    try (var _ = Scope.open()) {
      parameters =
          net.build(Init.zeros()).params().stream()
              .mapToLong(p -> p.value().shape().elements())
              .sum();
    }
    String name = TrainSuite.name(net, batch, threads, blocks, precision);
    return MemorySuite.run(
        "%s, %s parameters".formatted(name, Count.exact(parameters)),
        net,
        batch,
        threads,
        blocks,
        precision);
  }

  /// Finds the systems that `--peers` names, if at least one of the suites has a peer.
  private Peers peers() {
    boolean wanted = suites.stream().anyMatch(Suite::hasPeers);
    return Peers.find(wanted ? peers : Set.of(), line -> output.err().println("fathom: " + line));
  }

  private List<Integer> batches() {
    return batch == null ? List.of(1, 8, 128) : List.of(batch);
  }

  private static String number(@Nullable Double value) {
    return value == null ? "" : String.format(Locale.ROOT, "%.2f", value);
  }
}
