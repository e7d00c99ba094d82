package fathom.cli;

import fathom.infer.ImageClassifier;
import fathom.infer.MaskPredictor;
import fathom.infer.ModelCard;
import fathom.net.Architecture;
import fathom.net.ImageShape;
import fathom.run.Run;
import fathom.train.Precision;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// The options that say which trained net answers, of commands that take a run or weights. A run
/// knows its net; what a file of weights does not say of its net, the user has to.
final class NetOptions {
  @Mixin private final BestOption best = new BestOption();

  @Option(
      names = "--model",
      paramLabel = "MODEL",
      description = "The model of a file of weights. Default: what the file says.")
  private @Nullable String model;

  @Mixin private final ModelsCommand.ModelOptions modelOptions = new ModelsCommand.ModelOptions();

  @Rare
  @Option(
      names = "--input",
      paramLabel = "CxHxW",
      description = {
        "The size of an image. Default: what the file of weights says, or else that for which the",
        "model was made."
      })
  private @Nullable String input;

  @Rare
  @Option(
      names = "--classes",
      split = ",",
      paramLabel = "NAME",
      description =
          "The classes in their order. Default: what the file of weights says, or else numbers.")
  private @Nullable List<String> classes;

  @Mixin private final NormalizationOption normalization = new NormalizationOption();

  @Rare
  @Option(
      names = "--precision",
      paramLabel = "fp32|bf16",
      description = "The type of the activations. Default: fp32.")
  private Precision precision = Precision.FP32;

  /// Throws [fathom.DeviceException] if this machine does not support the precision.
  void check() {
    precision.check();
  }

  /// Returns whether the user describes the net by options.
  boolean isDescribed() {
    return model != null || input != null || classes != null || normalization.isGiven();
  }

  /// Throws a usage error if the user describes the net of a run, or if the run is of text.
  void checkRun(Run run, Output output) {
    if (isDescribed()) {
      throw output.refused(
          "--model, --input, --classes, --mean and --std are for a file of weights; a run knows its"
              + " own");
    }
    if (run.info().input().isEmpty()) {
      throw output.refused(
          "%s was trained on text; fathom sample writes some".formatted(run.recipe().model()));
    }
  }

  /// Returns the file of the weights that are used of a run.
  Path weights(Run run) {
    return best.weights(run);
  }

  Precision precision() {
    return precision;
  }

  ImageClassifier classifier(Run run) {
    return run.classifier(best.weights(run), precision);
  }

  MaskPredictor masks(Run run) {
    return run.maskPredictor(best.weights(run), precision);
  }

  /// Opens weights with what they and the user say of their net. Throws a usage error if that is
  /// not enough, or if they contradict each other.
  ImageClassifier classifier(Path file, WeightsFile weights, Output output) {
    checkFile(file, output);
    Architecture.OfClasses net = weights.net(model, modelOptions.options());
    ImageShape size = weights.input(input, net);
    ModelCard card =
        weights.card(
            net,
            size,
            weights.classes(classes),
            weights.normalization(normalization, size.channels()));
    return output.usage(() -> ImageClassifier.of(card, file, precision));
  }

  MaskPredictor masks(Path file, Output output) {
    checkFile(file, output);
    if (isDescribed()) {
      throw output.refused(
          "--model, --input, --classes, --mean and --std are for a net that tells classes apart; %s says itself what it is"
              .formatted(file));
    }
    return MaskPredictor.open(file, precision);
  }

  private void checkFile(Path file, Output output) {
    if (best.isGiven()) {
      throw output.refused("--best is for a run, but %s is a file of weights".formatted(file));
    }
  }
}
