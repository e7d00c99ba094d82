package fathom.cli;

import fathom.data.Data;
import fathom.infer.OpenWeights;
import fathom.io.Shown;
import fathom.net.Architecture;
import fathom.run.FineTuning;
import fathom.run.Recipe;
import fathom.train.Tuning;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// The options for a training that begins with trained weights: a [FineTuning] as the user wants
/// it.
final class FineTuneOptions {
  /// The most names of classes that a remark shows.
  private static final int NAMED = 5;

  @Option(
      names = "--weights",
      paramLabel = "FILE",
      description =
          "Begins with the weights of a file and fine-tunes them. The classifier is drawn anew "
              + "if the classes differ; everything else must fit MODEL, which may be left out "
              + "if the file names its net. Images are normalised as the file says.")
  private @Nullable Path weights;

  @Rare
  @Option(
      names = "--freeze-until",
      paramLabel = "LAYER",
      description =
          "With --weights: trains nothing before this layer, such as layer3. Frozen layers keep "
              + "their weights and batch norm's statistics.")
  private @Nullable String freezeUntil;

  @Rare
  @Option(
      names = "--linear-probe",
      paramLabel = "N",
      description = "With --weights: N first epochs train the classifier alone. Default: 0.")
  private @Nullable Integer linearProbe;

  /// How a new classifier begins.
  enum Head {
    FITTED,
    DRAWN
  }

  @Rare
  @Option(
      names = "--new-head",
      paramLabel = "fitted|drawn",
      description =
          "With --weights: how a new classifier begins. fitted: by logistic regression, to "
              + "what the weights make of the training images. drawn: at random. Default: fitted "
              + "for fewer than 500 images, otherwise drawn.")
  private @Nullable Head head;

  @Rare
  @Option(
      names = "--layer-decay",
      paramLabel = "X",
      description =
          "With --weights: a block of the net learns at X^d of the learning rate, d blocks before "
              + "the classifier. Default: 1.")
  private @Nullable Double layerDecay;

  @Mixin private final NormalizationOption normalization = new NormalizationOption();

  /// Returns whether the training begins with weights. Throws a usage error for options that are
  /// for weights, without any.
  boolean isGiven(Output output) {
    if (weights != null) {
      return true;
    }
    String alone =
        freezeUntil != null
            ? "--freeze-until"
            : linearProbe != null
                ? "--linear-probe"
                : layerDecay != null
                    ? "--layer-decay"
                    : head != null
                        ? "--new-head"
                        : normalization.isGiven() ? "--mean or --std" : null;
    if (alone != null) {
      throw output.refused(
          "%s is for trained weights, but the training begins with random ones; give --weights or leave it out"
              .formatted(alone));
    }
    return false;
  }

  /// Opens the weights. Throws [fathom.io.BadFileException] if they cannot be read.
  OpenWeights open() {
    return OpenWeights.open(file());
  }

  private Path file() {
    return Objects.requireNonNull(weights);
  }

  /// Returns the net of the weights, by the file or by the user.
  Architecture.OfClasses net(
      WeightsFile from, @Nullable String model, Architecture.Options options, Output output) {
    if (!from.isNamed()) {
      output.required(model, "MODEL, because the file does not say of which net it is");
    }
    return from.net(model, options);
  }

  /// Returns how the weights begin a training, their images normalised as the file or the user
  /// says.
  FineTuning of(OpenWeights from, Architecture net, Data data, Output output) {
    FineTuning by =
        FineTuning.of(
            from,
            net,
            data,
            new Tuning(
                Objects.requireNonNullElse(freezeUntil, ""),
                Objects.requireNonNullElse(linearProbe, 0),
                Objects.requireNonNullElse(layerDecay, 1.0)));
    return normalization.isGiven()
        ? by.normalizedBy(
            WeightsFile.of(from, output).normalization(normalization, data.input().getFirst()))
        : by;
  }

  /// Returns the recipe with a new classifier that begins as the user wants.
  Recipe begun(Recipe usual, Output output) {
    if (head == null) {
      return usual;
    }
    FineTuning from = usual.fineTuning();
    if (!from.newHead()) {
      throw output.refused(
          "--new-head is for a classifier that is new, but that of %s is kept; leave it out"
              .formatted(file()));
    }
    return usual.with(from.fittingHead(head == Head.FITTED));
  }

  /// Says what becomes of the classifier, and what images are normalised by.
  void tell(FineTuning tuning, WeightsFile from, Data data, Output output) {
    List<String> known = from.card().classes();
    output.remark(
        "fathom: %s: %s; images are normalised %s"
            .formatted(
                file(),
                tuning.newHead()
                    ? "the classifier is new, for %s%s%s"
                        .formatted(
                            some(data.classes()),
                            known == null ? "" : " in place of " + some(known),
                            tuning.fittedHead() ? ", and begins fitted to the training images" : "")
                    : tuning.headRows().isEmpty()
                        ? "the classifier is kept, for " + some(data.classes())
                        : "the classifier is kept, its rows in the order %s of the data, which is %s in the file"
                            .formatted(some(data.classes()), some(Objects.requireNonNull(known))),
                tuning.mean().isEmpty()
                    ? "by the training images, because neither the file nor --mean and --std say by what"
                    : normalization.isGiven() ? "as --mean and --std say" : "as the file says"));
  }

  /// Returns the first names of classes, and how many there are.
  static String some(List<String> classes) {
    List<String> first = classes.stream().limit(NAMED).map(Shown::name).toList();
    return "%s%s (%s)"
        .formatted(String.join(", ", first), classes.size() > NAMED ? ", ..." : "", classes.size());
  }
}
