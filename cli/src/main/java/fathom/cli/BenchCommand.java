package fathom.cli;

import fathom.bench.Baseline;
import fathom.bench.Peers;
import fathom.bench.Piece;
import fathom.bench.Result;
import fathom.bench.ResultsFile;
import fathom.bench.Suite;
import fathom.net.Architecture;
import fathom.parallel.Workers;
import fathom.train.Precision;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
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
      "  fathom bench infer --model resnet50 --batch 8 --peers maven",
      "  FATHOM_PEERS=venv fathom bench --all --out bench.json",
      "  fathom bench --table bench.json"
    })
final class BenchCommand implements Callable<Integer> {
  /// The largest `--batch` that is accepted, because the images of a batch lie in one Java array.
  private static final int MOST_IMAGES = 100_000;

  @Mixin private final Output output = new Output();

  @Parameters(
      index = "0..*",
      arity = "1", // with 0..*, picocli reports an unknown suite as one argument too many
      defaultValue = "train",
      paramLabel = "SUITE",
      description = {
        "train: training steps of a net for images, on a batch in memory.",
        "text: training steps of lstm, ln-lstm and transformer.",
        "norm: layer norm, alone and behind an addition.",
        "rnn: LSTM and GRU, with layer norm and without.",
        "infer: the prediction of a batch by the folded net.",
        "data: batches of images from memory and from JPEG files.",
        "memory: the most memory resident in a few training steps (Linux).",
        "start: to the end of the first training step; predict on one photo.",
        "photos: predict of 2,000 JPEG files.",
        "serve: the service, at half and at twice what it can do, and stopped.",
        "growth: time and memory by depth, batch, length and number of images.",
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
      description = "Runs of each contender, in turn. Default: 21; with --all 7.")
  private @Nullable Integer rounds;

  @Option(
      names = "--all",
      description = "All that the tables of results quote, which takes an hour and more.")
  private boolean all;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description = {
        "Write what --json prints there after each piece.",
        "Pieces that stand in FILE already are not measured again, so a benchmark that was broken"
            + " off goes on with the same command."
      })
  private @Nullable Path out;

  @Option(
      names = "--peers",
      split = ",",
      paramLabel = "python,maven",
      description = {
        "python (PyTorch, JAX, Keras, ONNX Runtime and OpenVINO, as far as the environment that"
            + " FATHOM_PEERS names has them) and maven (ONNX Runtime and DJL). Default: python.",
        "PyTorch also runs under tcmalloc and jemalloc where they are installed; what maven names"
            + " is downloaded."
      })
  private Set<Peers.Kind> peers = EnumSet.of(Peers.Kind.PYTHON);

  @Option(
      names = "--against",
      paramLabel = "FILE",
      description = {
        "Compare with an earlier --json; exit code 1 if a figure got worse.",
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
    if (rounds != null && rounds < 1) {
      throw output.refused("--rounds is at least 1, but is " + rounds);
    }
    output.usage(() -> {
      Workers.check(threads);
      return threads;
    });
    List<Piece> pieces = all ? Piece.all() : chosen(net);
    List<Result> before = against == null ? List.of() : Baseline.read(against);
    if (table != null) {
      List<Result> saved = Baseline.read(table);
      return answer(saved, before, () -> markdown(saved));
    }
    ResultsFile kept = out == null ? null : ResultsFile.open(out);
    Consumer<String> say = line -> output.err().println("fathom: " + line);
    boolean compares = pieces.stream().anyMatch(piece -> piece.suite().hasPeers());
    int turns = rounds != null ? rounds : all ? 7 : 21;
    var terms =
        new Piece.Terms(
            turns, threads, Peers.find(compares ? peers : Set.of(), say), say, Main.class);
    var results = new ArrayList<Result>();
    for (Piece piece : pieces) {
      String name = piece.name(threads);
      if (kept == null) {
        results.addAll(piece.run(terms));
      } else if (!kept.has(name)) {
        output.remark(name);
        kept.add(name, piece.run(terms));
      }
    }
    List<Result> found = kept == null ? results : kept.results();
    return answer(found, before, () -> print(found));
  }

  /// The pieces of the suites that are named.
  private List<Piece> chosen(Architecture.Convolutional net) {
    int blocks = output.usage(() -> RecomputeOption.blocks(recompute, net));
    var pieces = new ArrayList<Piece>();
    for (Suite suite : suites) {
      List<Integer> batches =
          batch != null ? List.of(batch) : suite == Suite.INFER ? Piece.SMALL : List.of(128);
      batches.forEach(images -> pieces.add(new Piece(suite, net, images, blocks, precision)));
    }
    return pieces;
  }

  /// Prints the results, and what changed since the baseline if there is one.
  private int answer(List<Result> results, List<Result> before, Runnable text) {
    var answer = new LinkedHashMap<>(ResultsFile.heading(results));
    if (table != null) { // those of the file are not those of this moment
      answer.keySet().removeAll(List.of("processor", "version", "date"));
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

  /// Prints the table of docs/results.md. Of each figure the ratio to its best peer is in bold.
  private void markdown(List<Result> results) {
    output
        .out()
        .println("| suite | what | unit | Fathom | low to high | against | its median | ratio |");
    output.out().println("| --- | --- | --- | --- | --- | --- | --- | --- |");
    for (Result r : results) {
      String ratio = number(r.ratio());
      output
          .out()
          .printf(
              Locale.ROOT,
              "| %s | %s | %s | %s | %s to %s | %s | %s | %s |%n",
              r.suite(),
              r.name(),
              r.unit(),
              number(r.median()),
              number(r.low()),
              number(r.high()),
              r.peer() == null ? "" : r.peer(),
              theirs(r),
              r.equals(ResultsFile.best(r, results)) ? "**" + ratio + "**" : ratio);
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

  private static String number(@Nullable Double value) {
    return value == null ? "" : String.format(Locale.ROOT, "%.2f", value);
  }
}
