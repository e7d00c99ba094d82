package fathom.cli;

import com.fasterxml.jackson.annotation.JsonInclude;
import fathom.Scope;
import fathom.Shape;
import fathom.data.Data;
import fathom.data.DataSet;
import fathom.data.Decoders;
import fathom.data.Normalization;
import fathom.data.Pictures;
import fathom.data.Reading;
import fathom.data.Text;
import fathom.infer.ImageClassifier;
import fathom.infer.ModelCard;
import fathom.net.Architecture;
import fathom.net.CifarNet;
import fathom.net.LanguageModel;
import fathom.nn.Init;
import fathom.parallel.Collective;
import fathom.parallel.Workers;
import fathom.run.ClassMatch;
import fathom.run.Measure;
import fathom.run.Run;
import fathom.run.RunEvaluation;
import fathom.task.Confusion;
import fathom.task.Evaluation;
import fathom.task.Figures;
import fathom.task.Predictions;
import fathom.train.Metrics;
import fathom.train.Precision;
import fathom.train.Weights;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "eval",
    description =
        "Measures a run's last checkpoint, or its best, on test pictures or held-out text, or"
            + " weights from elsewhere on test pictures.",
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  fathom eval runs/resnet20-digits-1",
      "  fathom eval digits.safetensors --data digits",
      "  fathom eval resnet20.safetensors --model resnet20 --data /data/cifar-10-batches-bin \\",
      "      --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225",
      "",
      "--json has confusions, a list of [class, taken for, times] with an entry for each pair that"
          + " occurred,",
      "classes counted from 0. With up to 100 classes confusion is the same as a table of all"
          + " pairs, a row",
      "for each class; with more it is left out, because it would grow with their square."
    })
final class EvalCommand implements Callable<Integer> {
  /// With more classes their table is in `--json` only, and the most frequent confusions are shown.
  private static final int SHOWN = 20;

  @Mixin private final Output output = new Output();

  @Mixin private final DeviceOption device = new DeviceOption();

  @Parameters(paramLabel = "RUN|WEIGHTS", description = "A run's folder, or a .safetensors file.")
  private @Nullable Path from;

  @Mixin private final BestOption best = new BestOption();

  @Option(
      names = "--model",
      paramLabel = "MODEL",
      description = "The model of a file of weights. Default: what the file says.")
  private @Nullable String model;

  @Mixin private final ModelsCommand.ModelOptions modelOptions = new ModelsCommand.ModelOptions();

  @Option(
      names = "--data",
      paramLabel = "DATA",
      description = "Whose test pictures or held-out text. Default: the data of the run.")
  private @Nullable String data;

  @Option(
      names = "--size",
      paramLabel = "N",
      description = {
        "For a file of weights and a folder of pictures: as of \"fathom train\". A run knows its"
            + " own."
      })
  private @Nullable Integer size;

  @Mixin private final ReadingOptions reading = new ReadingOptions();

  @Mixin private final NormalizationOption normalization = new NormalizationOption();

  @Option(
      names = "--precision",
      paramLabel = "fp32|bf16",
      description = "Of the values between the layers of a net for pictures. Default: fp32.")
  private Precision precision = Precision.FP32;

  /// What `--json` prints of pictures.
  ///
  /// @param confusion `confusion[truth][guess]`; null, and left out, with more than
  ///   [Confusion#MOST_IN_A_TABLE] classes
  /// @param confusions the same as `[truth, guess, times]`, without what did not occur
  record Answer(
      String model,
      String data,
      Metrics.Split measuredOn,
      Precision precision,
      int count,
      double error,
      Evaluation.Interval interval,
      double crossEntropy,
      double imagesPerSecond,
      double seconds,
      List<PerClass> classes,
      @JsonInclude(JsonInclude.Include.NON_NULL) long @Nullable [][] confusion,
      List<long[]> confusions,
      List<LeftOut> leftOut,
      List<String> absent) {}

  /// A class of the data that the net does not know, and how many pictures of it were left out.
  record LeftOut(String name, int count) {}

  /// What became of the pictures of a class.
  ///
  /// @param error in percent; null if there is no picture
  record PerClass(String name, long count, long errors, @Nullable Double error) {}

  /// What `--json` prints of text.
  record TextAnswer(
      String model,
      String data,
      int count,
      double bitsPerCharacter,
      double perplexity,
      double crossEntropy,
      double error,
      double charactersPerSecond,
      double seconds) {}

  /// What is measured.
  ///
  /// @param card of the net and of the images that are measured
  private record Subject(ModelCard card, Path weights, DataSet data) {
    CifarNet.Input input() {
      return Objects.requireNonNull(card.input());
    }

    List<String> classes() {
      return Objects.requireNonNull(card.classes());
    }
  }

  /// A result, and the time it took.
  private record Timed(Evaluation result, double seconds) {
    double perSecond() {
      return result.count() / seconds;
    }
  }

  @Override
  public Integer call() {
    device.check();
    Path path = output.required(from, "RUN or WEIGHTS");
    if (!Files.isDirectory(path)) {
      pictures(ofWeights(path));
      return Exit.DONE;
    }
    Run run = Run.open(path);
    if (model != null || size != null) {
      throw output.refused("--model and --size are for a file of weights; a run knows its own");
    }
    best.weights(run); // before the data is read
    String name = data;
    Reading how = reading.of(0);
    Data read =
        output.usage(() -> name == null ? run.openForTests(how) : run.openForTests(name, how));
    if (name == null) {
      tellOfChanges(run, read);
    }
    switch (read) {
      case DataSet dataSet -> pictures(ofRun(run, dataSet));
      case Text text -> text(run, text);
      default -> byItsTask(run, read);
    }
    return Exit.DONE;
  }

  /// The data of a run, measured by default, may have changed since.
  private void tellOfChanges(Run run, Data read) {
    List<String> differences =
        run.info().data().identity().ofTests().differences(read.identity().ofTests());
    if (!differences.isEmpty()) {
      output.remark(
          "fathom: %s is not as it was in training: %s"
              .formatted(read.name(), String.join(", ", differences)));
    }
  }

  /// A kind of runs without words of its own here: its task measures, and it says how that is
  /// called.
  private void byItsTask(Run run, Data read) {
    if (precision != Precision.FP32 || normalization.isGiven()) {
      throw output.refused(
          "--precision bf16, --mean and --std are for the classes of images, but the run is about "
              + run.recipe().kind().name());
    }
    RunEvaluation evaluated = output.usage(() -> RunEvaluation.of(run, best.weights(run), read));
    Figures figures = evaluated.figures();
    List<Measure> measures = run.recipe().kind().wording().measures();
    var answer = new LinkedHashMap<String, Object>();
    answer.put("model", run.recipe().model());
    answer.put("data", read.name());
    answer.put("measuredOn", Metrics.Split.TEST);
    answer.put("count", figures.count());
    measures.forEach(measure -> answer.put(measure.name(), measure.in(figures.values())));
    answer.put("seconds", evaluated.seconds());
    output.answer(
        answer,
        () -> {
          output
              .out()
              .println(
                  "%s on %s: %s test %s"
                      .formatted(
                          run.recipe().model(),
                          read.name(),
                          figures.count(),
                          run.recipe().kind().wording().examples()));
          output.table(
              List.of("measured", ""),
              measures.stream()
                  .map(measure -> List.of(measure.unit(), measure.shown(figures.values())))
                  .toList());
        });
  }

  private void text(Run run, Text text) {
    if (precision != Precision.FP32) {
      throw output.refused("--precision bf16 is for pictures, but the run is about text");
    }
    if (normalization.isGiven()) {
      throw output.refused("--mean and --std are for pictures, but the run is about text");
    }
    Timed timed =
        timed((all, _) -> {
          LanguageModel net = run.textNet(Init.zeros());
          Weights.read(best.weights(run), net);
          return Evaluation.of(net, text.validation(), all);
        });
    Evaluation result = timed.result;
    output.answer(
        new TextAnswer(
            run.recipe().model(),
            text.name(),
            result.count(),
            result.bitsPerCharacter(),
            result.perplexity(),
            result.crossEntropy(),
            result.error(),
            timed.perSecond(),
            timed.seconds),
        () ->
            output
                .out()
                .println(
                    String.format(
                        Locale.ROOT,
                        "%s on %s: %.3f bits per held-out character, perplexity %.2f, error %.2f %%"
                            + " (%d of %d); %.0f characters/s",
                        run.recipe().model(),
                        text.name(),
                        result.bitsPerCharacter(),
                        result.perplexity(),
                        result.error(),
                        result.errors(),
                        result.count(),
                        timed.perSecond())));
  }

  private void pictures(Subject subject) {
    ReadingOptions.tell(subject.data, output);
    checkPictures(subject);
    precision.check();
    int outputs = subject.classes().size();
    ClassMatch match = output.usage(() -> ClassMatch.of(subject.classes(), subject.data.classes()));
    Pictures pictures = output.usage(() -> match.of(subject.data.test()));
    List<LeftOut> leftOut = leftOut(match, subject.data);
    tellOfClasses(match, leftOut, subject.data);
    var guesses = new Predictions(pictures, outputs);
    Timed timed;
    try (var classifier =
        output.usage(() -> ImageClassifier.of(subject.card, subject.weights, precision))) {
      timed =
          timed((all, decoders) ->
              Evaluation.of(
                  classifier.net(),
                  pictures.decodedBy(decoders),
                  classifier.normalization(),
                  all,
                  guesses));
    }
    Evaluation result = timed.result;
    Confusion confusion = guesses.confusion();
    List<PerClass> classes =
        IntStream.range(0, outputs)
            .mapToObj(c -> perClass(subject.classes().get(c), confusion, c))
            .toList();
    var answer =
        new Answer(
            String.valueOf(subject.card.model()),
            subject.data.name(),
            Metrics.Split.TEST,
            precision,
            result.count(),
            result.error(),
            result.interval(),
            result.crossEntropy(),
            timed.perSecond(),
            timed.seconds,
            classes,
            outputs <= Confusion.MOST_IN_A_TABLE ? confusion.table() : null,
            confusion.counts().stream()
                .map(pair -> new long[] {pair.truth(), pair.guess(), pair.times()})
                .toList(),
            leftOut,
            match.absent());
    output.answer(
        answer,
        () -> {
          output
              .out()
              .println(
                  String.format(
                      Locale.ROOT,
                      "%s on %s: test error %.2f %% (%d of %d; 95 %% interval %.2f to %.2f),"
                          + " cross-entropy %.4f; %.0f images/s",
                      answer.model,
                      answer.data,
                      answer.error,
                      result.errors(),
                      answer.count,
                      answer.interval.low(),
                      answer.interval.high(),
                      answer.crossEntropy,
                      answer.imagesPerSecond));
          if (outputs <= SHOWN) {
            show(answer, confusion.table());
          } else {
            showPairs(answer, confusion);
          }
        });
  }

  private static List<LeftOut> leftOut(ClassMatch match, DataSet data) {
    List<Integer> counts = match.leftOut(data.test());
    return IntStream.range(0, counts.size())
        .mapToObj(i -> new LeftOut(match.unknown().get(i), counts.get(i)))
        .toList();
  }

  /// Which classes the net and the data do not share.
  private void tellOfClasses(ClassMatch match, List<LeftOut> leftOut, DataSet data) {
    if (!leftOut.isEmpty()) {
      output.remark(
          "fathom: left out %s of %s test pictures of %s, whose classes the net does not know: %s"
              .formatted(
                  leftOut.stream().mapToInt(LeftOut::count).sum(),
                  data.test().count(),
                  data.name(),
                  ClassMatch.shown(match.unknown())));
    }
    if (!match.absent().isEmpty()) {
      output.remark(
          "fathom: %s has no class %s, which the net knows"
              .formatted(data.name(), ClassMatch.shown(match.absent())));
    }
  }

  private static PerClass perClass(String name, Confusion confusion, int c) {
    long count = confusion.count(c);
    long errors = confusion.errors(c);
    return new PerClass(name, count, errors, count == 0 ? null : 100.0 * errors / count);
  }

  /// A row for each class: how often it was taken for each of them.
  private void show(Answer answer, long[][] table) {
    var head = new ArrayList<>(List.of("", "pictures", "error in %"));
    answer.classes.forEach(c -> head.add(c.name));
    var rows = new ArrayList<List<String>>();
    for (int c = 0; c < answer.classes.size(); c++) {
      PerClass of = answer.classes.get(c);
      var row =
          new ArrayList<>(
              List.of(
                  of.name,
                  Long.toString(of.count),
                  of.error == null ? "" : String.format(Locale.ROOT, "%.2f", of.error)));
      for (long times : table[c]) {
        row.add(times == 0 ? "." : Long.toString(times));
      }
      rows.add(row);
    }
    output.out().println();
    output
        .out()
        .println("How often the pictures of each class (down) were taken for each (across):");
    output.table(head, rows);
  }

  private void showPairs(Answer answer, Confusion confusion) {
    var rows = new ArrayList<List<String>>();
    for (Confusion.Pair pair : confusion.pairs().stream().limit(SHOWN).toList()) {
      PerClass of = answer.classes.get(pair.truth());
      rows.add(
          List.of(
              of.name,
              answer.classes.get(pair.guess()).name,
              Long.toString(pair.times()),
              Long.toString(of.count)));
    }
    if (!rows.isEmpty()) {
      output.out().println();
      output.out().println("The most frequent confusions (all of them, and each class: --json):");
      output.table(List.of("class", "taken for", "times", "of"), rows);
    }
  }

  private Subject ofRun(Run run, DataSet dataSet) {
    Normalization own =
        normalization.isGiven()
            ? normalization.given(dataSet.test().channels(), output)
            : run.normalization();
    return new Subject(run.card(own), best.weights(run), dataSet);
  }

  private Subject ofWeights(Path file) {
    WeightsFile weights = WeightsFile.open(file, output);
    if (best.isGiven()) {
      throw output.refused("--best is for a run, but %s is a file of weights".formatted(file));
    }
    String dataName = output.required(data, "--data");
    if (dataName.startsWith(Data.TEXT)) {
      throw output.refused(
          "a file of weights has no alphabet; give the folder of the run to measure it on text");
    }
    Architecture.OfPictures net = weights.net(model, modelOptions.options());
    int side = weights.side(size, net);
    CifarNet.Input own = weights.card().input();
    Reading all = reading.of(side);
    Reading how =
        own == null ? all : all.forTests(Shape.of(own.channels(), own.height(), own.width()));
    DataSet dataSet = output.usage(() -> DataSet.open(dataName, how));
    List<String> classes = weights.card().classes();
    CifarNet.Input input = own == null ? inputOf(dataSet) : own;
    var card =
        weights.card(
            net,
            input,
            classes == null ? dataSet.classes() : classes,
            weights.normalization(normalization, input.channels()));
    return new Subject(card, file, dataSet);
  }

  private static CifarNet.Input inputOf(DataSet dataSet) {
    var test = dataSet.test();
    return new CifarNet.Input(test.channels(), test.height(), test.width());
  }

  private void checkPictures(Subject subject) {
    CifarNet.Input given = inputOf(subject.data);
    if (!given.equals(subject.input())) {
      throw output.refused(
          "the net was trained on pictures of %s, but those of %s are %s"
              .formatted(subject.input(), subject.data.name(), given));
    }
  }

  private static Timed timed(BiFunction<Collective, Decoders, Evaluation> measure) {
    long start = System.nanoTime();
    var result = new AtomicReference<@Nullable Evaluation>();
    try (var decoders = Decoders.start()) {
      Workers.run(
          Runtime.getRuntime().availableProcessors(),
          all -> {
            try (var _ = Scope.open()) {
              Evaluation evaluation = measure.apply(all, decoders);
              if (all.rank() == 0) {
                result.set(evaluation);
              }
            }
          });
    }
    return new Timed(Objects.requireNonNull(result.get()), (System.nanoTime() - start) / 1e9);
  }
}
