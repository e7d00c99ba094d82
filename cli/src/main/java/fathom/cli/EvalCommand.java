package fathom.cli;

import fathom.Shape;
import fathom.data.CentreCrop;
import fathom.data.Data;
import fathom.data.DataSet;
import fathom.data.ImageReadOptions;
import fathom.data.LabelledImages;
import fathom.data.Normalization;
import fathom.data.Text;
import fathom.infer.Views;
import fathom.net.Architecture;
import fathom.net.ImageShape;
import fathom.net.LanguageModel;
import fathom.nn.Init;
import fathom.run.Measure;
import fathom.run.Run;
import fathom.run.RunEvaluation;
import fathom.task.Evaluation;
import fathom.task.Figures;
import fathom.train.Metrics;
import fathom.train.Precision;
import fathom.train.Weights;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "eval",
    description = {
      "Measures a run, or weights from elsewhere, on test images or held-out text.",
      "Of a run it is the last checkpoint, or its best."
    },
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
  @Mixin private final Output output = new Output();

  @Mixin private final DeviceOption device = new DeviceOption();

  @Parameters(
      paramLabel = "RUN|WEIGHTS",
      description = "A run's folder, or a file or folder of weights.")
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
      description = "Whose test images or held-out text. Default: the data of the run.")
  private @Nullable String data;

  @Option(
      names = "--size",
      paramLabel = "N",
      description = {
        "For a file of weights and a folder of images: as of \"fathom train\". A run knows its"
            + " own."
      })
  private @Nullable Integer size;

  @Mixin private final ImageOptions reading = new ImageOptions();

  @Mixin private final NormalizationOption normalization = new NormalizationOption();

  @Rare
  @Option(
      names = "--precision",
      paramLabel = "fp32|bf16",
      description = "The type of the activations of a net for images. Default: fp32.")
  private Precision precision = Precision.FP32;

  @Mixin private final ViewOptions views = new ViewOptions();

  @Rare
  @Option(
      names = "--calibrate",
      description =
          "Also finds the temperature with which probabilities suit a run's validation images "
              + "best, and measures the test images with it.")
  private boolean calibrate;

  /// The answer of `--json` for text.
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

  @Override
  public Integer call() {
    device.check();
    Path path = output.required(from, "RUN or WEIGHTS");
    if (!WeightsFile.isRun(path)) {
      if (calibrate) {
        throw output.refused(
            "--calibrate is for a run with validation images, but %s is a file of weights"
                .formatted(path));
      }
      new ImageEvaluation(output).measure(ofWeights(path), precision, views.views(output));
      return Exit.DONE;
    }
    Run run = Run.open(path);
    if (model != null || size != null) {
      throw output.refused("--model and --size are for a file of weights; a run knows its own");
    }
    best.weights(run); // fails before the data is read if the file does not exist
    best.tell(run, output);
    String name = data;
    ImageReadOptions how = reading.of(0);
    Data read =
        output.usage(() -> name == null ? run.openForTests(how) : run.openForTests(name, how));
    if (name == null) {
      tellOfChanges(run, read);
    }
    if (!(read instanceof DataSet) && (calibrate || views.views(output) != Views.ONE)) {
      throw output.refused(
          "--tta, --ten-crop and --calibrate are for the classes of images, but the run is about "
              + run.recipe().kind().name());
    }
    switch (read) {
      case DataSet dataSet ->
          new ImageEvaluation(output).measure(ofRun(run, dataSet), precision, views.views(output));
      case Text text -> text(run, text);
      default -> byItsTask(run, read);
    }
    return Exit.DONE;
  }

  /// Says how the run's own data differs from what it was in training, because files may have
  /// changed since.
  private void tellOfChanges(Run run, Data read) {
    List<String> differences =
        run.info().data().identity().ofTests().differences(read.identity().ofTests());
    if (!differences.isEmpty()) {
      output.remark(
          "fathom: %s is not as it was in training: %s"
              .formatted(read.name(), String.join(", ", differences)));
    }
  }

  /// Measures a run whose kind has no output of its own in this command. The run's task measures,
  /// and its wording names the measures.
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
      throw output.refused("--precision bf16 is for images, but the run is about text");
    }
    if (normalization.isGiven()) {
      throw output.refused("--mean and --std are for images, but the run is about text");
    }
    TimedEvaluation timed =
        TimedEvaluation.of((all, _) -> {
          LanguageModel net = run.textNet(Init.zeros());
          Weights.read(best.weights(run), net);
          return Evaluation.of(net, text.validation(), all);
        });
    Evaluation result = timed.result();
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
            timed.seconds()),
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

  private ImageEvaluation.Subject ofRun(Run run, DataSet dataSet) {
    Normalization own =
        normalization.isGiven()
            ? normalization.given(dataSet.test().channels(), output)
            : run.normalization();
    return new ImageEvaluation.Subject(
        run.card(own), best.weights(run), dataSet, calibrate ? validation(run) : null);
  }

  /// Returns the images by which the epochs of a run were validated. Throws a usage error if there
  /// are none, or if the data is not what it was.
  private LabelledImages validation(Run run) {
    int count = run.recipe().validation();
    if (count == 0) {
      throw output.refused(
          "a temperature is fitted on validation images, but the run has none; train with --val, or leave out --calibrate");
    }
    String name = data;
    Data all =
        output.usage(() -> name == null ? run.open(reading.of(0)) : run.open(name, reading.of(0)));
    List<String> differences = run.info().data().identity().differences(all.identity());
    if (!differences.isEmpty() || !(all instanceof DataSet images)) {
      throw output.refused(
          "the validation images are drawn from the data that the run was trained on, but %s is not as it was: %s; leave out --calibrate"
              .formatted(all.name(), String.join(", ", differences)));
    }
    return Objects.requireNonNull(images.judgedBy(count, run.recipe().seed()).validation());
  }

  private ImageEvaluation.Subject ofWeights(Path file) {
    WeightsFile weights = WeightsFile.open(file, output);
    if (best.isGiven()) {
      throw output.refused("--best is for a run, but %s is a file of weights".formatted(file));
    }
    String dataName = output.required(data, "--data");
    if (dataName.startsWith(Data.TEXT)) {
      throw output.refused(
          "a file of weights has no vocabulary; give the folder of the run to measure it on text");
    }
    Architecture.OfClasses net = weights.net(model, modelOptions.options());
    int side = weights.side(size, net);
    ImageShape own = weights.card().input();
    ImageReadOptions all = reading.of(side);
    ImageReadOptions how =
        own == null ? all : all.forTests(Shape.of(own.channels(), own.height(), own.width()));
    CentreCrop crop = weights.card().crop();
    DataSet opened = output.usage(() -> DataSet.open(dataName, how));
    DataSet dataSet = crop == null || side == 0 ? opened : opened.croppedBy(crop);
    List<String> classes = weights.card().classes();
    ImageShape input = own == null ? ImageEvaluation.inputOf(dataSet) : own;
    var card =
        weights.card(
            net,
            input,
            classes == null ? dataSet.classes() : classes,
            weights.normalization(normalization, input.channels()));
    return new ImageEvaluation.Subject(card, file, dataSet, null);
  }
}
