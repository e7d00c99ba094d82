package fathom.cli;

import fathom.BadFileException;
import fathom.Layer;
import fathom.Scope;
import fathom.data.DataSet;
import fathom.data.Normalization;
import fathom.net.CifarNet;
import fathom.nn.Fused;
import fathom.nn.Init;
import fathom.train.Evaluation;
import fathom.train.Run;
import fathom.train.Weights;
import fathom.train.Workers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "eval",
    description = "Measures a run's last checkpoint, or weights from elsewhere, on test pictures.",
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  fathom eval runs/resnet20-digits-1",
      "  fathom eval resnet20.safetensors --model resnet20 --data /data/cifar-10-batches-bin \\",
      "      --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225"
    })
final class EvalCommand implements Callable<Integer> {
  @Mixin private final Output output = new Output();

  @Parameters(paramLabel = "RUN|WEIGHTS", description = "A run's folder, or a .safetensors file.")
  private @Nullable Path from;

  @Option(names = "--model", paramLabel = "MODEL", description = "The model of a file of weights.")
  private @Nullable String model;

  @Mixin private final ModelsCommand.ModelOptions modelOptions = new ModelsCommand.ModelOptions();

  @Option(
      names = "--data",
      paramLabel = "DATA",
      description = "Whose test pictures. Default: the data of the run.")
  private @Nullable String data;

  @Option(
      names = "--mean",
      split = ",",
      paramLabel = "R,G,B",
      description = "What is subtracted from each channel, on the 0..1 scale. A run knows its own.")
  private float @Nullable [] mean;

  @Option(
      names = "--std",
      split = ",",
      paramLabel = "R,G,B",
      description = "What each channel is divided by after that.")
  private float @Nullable [] deviation;

  /// What `--json` prints.
  record Answer(
      String model,
      String data,
      int count,
      double error,
      double crossEntropy,
      double imagesPerSecond,
      double seconds) {}

  /// What is measured: a net, its weights, its pictures and what is done to them.
  private record Subject(CifarNet net, Path weights, DataSet data, Normalization normalization) {}

  @Override
  public Integer call() {
    Path path = output.required(from, "RUN or WEIGHTS");
    Subject subject = Files.isDirectory(path) ? ofRun(Run.open(path)) : ofWeights(path);
    checkPictures(subject);
    long start = System.nanoTime();
    Evaluation result = measure(subject);
    double seconds = (System.nanoTime() - start) / 1e9;
    var answer =
        new Answer(
            subject.net.name(),
            subject.data.name(),
            result.count(),
            result.error(),
            result.crossEntropy(),
            result.count() / seconds,
            seconds);
    output.answer(
        answer,
        () ->
            output
                .out()
                .println(
                    String.format(
                        Locale.ROOT,
                        "%s on %s: error %.2f %% (%d of %d), cross-entropy %.4f; %.0f images/s",
                        answer.model,
                        answer.data,
                        answer.error,
                        result.errors(),
                        answer.count,
                        answer.crossEntropy,
                        answer.imagesPerSecond)));
    return Exit.DONE;
  }

  private Subject ofRun(Run run) {
    if (model != null) {
      throw output.refused("--model is for a file of weights; a run knows its own");
    }
    if (!Files.exists(run.checkpoint())) {
      throw new BadFileException(run.folder(), "the run has no checkpoint yet");
    }
    String name = data == null ? run.recipe().data() : data;
    DataSet dataSet = output.usage(() -> DataSet.open(name));
    Normalization own = mean == null && deviation == null ? run.normalization() : given(dataSet);
    return new Subject(run.net(), run.checkpoint(), dataSet, own);
  }

  private Subject ofWeights(Path file) {
    if (!Files.exists(file)) {
      throw new BadFileException(file, "there is no such run or file");
    }
    String modelName = output.required(model, "--model");
    String dataName = output.required(data, "--data");
    CifarNet named = output.usage(() -> modelOptions.apply(CifarNet.named(modelName)));
    DataSet dataSet = output.usage(() -> DataSet.open(dataName));
    var train = dataSet.train();
    CifarNet net =
        output.usage(() ->
            named.on(
                new CifarNet.Input(train.channels(), train.height(), train.width()),
                dataSet.classes().size()));
    return new Subject(net, file, dataSet, given(dataSet));
  }

  private Normalization given(DataSet dataSet) {
    if (mean == null || deviation == null) {
      throw output.refused(
          "weights from elsewhere need what their pictures were normalised by: --mean and --std, one number per channel");
    }
    float[] m = mean;
    float[] d = deviation;
    int channels = dataSet.test().channels();
    if (m.length != channels || d.length != channels) {
      throw output.refused(
          "--mean and --std have one number per channel, which are %d, but have %d and %d"
              .formatted(channels, m.length, d.length));
    }
    return output.usage(() -> Normalization.of(m, d));
  }

  private void checkPictures(Subject subject) {
    var test = subject.data.test();
    var input = subject.net.input();
    var given = new CifarNet.Input(test.channels(), test.height(), test.width());
    if (!given.equals(input) || subject.data.classes().size() != subject.net.classes()) {
      throw output.refused(
          "the run was trained on pictures of %s in %d classes, but those of %s are %s in %d"
              .formatted(
                  input,
                  subject.net.classes(),
                  subject.data.name(),
                  given,
                  subject.data.classes().size()));
    }
  }

  private static Evaluation measure(Subject subject) {
    var result = new AtomicReference<@Nullable Evaluation>();
    Workers.run(
        Runtime.getRuntime().availableProcessors(),
        all -> {
          try (var _ = Scope.open()) {
            Layer net = subject.net.build(Init.zeros());
            Weights.read(subject.weights, net);
            Evaluation evaluation =
                Evaluation.of(Fused.of(net), subject.data.test(), subject.normalization, all);
            if (all.rank() == 0) {
              result.set(evaluation);
            }
          }
        });
    return Objects.requireNonNull(result.get());
  }
}
