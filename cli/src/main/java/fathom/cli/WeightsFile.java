package fathom.cli;

import fathom.data.Normalization;
import fathom.infer.ModelCard;
import fathom.infer.OpenWeights;
import fathom.io.BadFileException;
import fathom.io.Shown;
import fathom.io.WeightsFolder;
import fathom.net.Architecture;
import fathom.net.ImageShape;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// A file of weights, with what it says of its net and what the user says. What neither says is
/// required of the user, and what both say must agree.
final class WeightsFile {
  private static final int SHOWN = 5;

  private final Path file;
  private final ModelCard card;
  private final Output output;

  private WeightsFile(Path file, ModelCard card, Output output) {
    this.file = file;
    this.card = card;
    this.output = output;
  }

  /// Returns whether the path leads to a run's folder, rather than to a file or folder of weights.
  static boolean isRun(Path path) {
    return Files.isDirectory(path) && !WeightsFolder.isOne(path);
  }

  /// Opens a file or folder of weights. Throws [BadFileException] if it does not exist or cannot be
  /// read.
  static WeightsFile open(Path file, Output output) {
    if (!Files.exists(file)) {
      throw new BadFileException(file, "there is no such run or file");
    }
    return new WeightsFile(file, ModelCard.of(file), output);
  }

  /// Returns the same for weights that are open.
  static WeightsFile of(OpenWeights open, Output output) {
    return new WeightsFile(open.file(), open.card(), output);
  }

  ModelCard card() {
    return card;
  }

  /// Returns whether the file names its net.
  boolean isNamed() {
    return card.model() != null;
  }

  /// Returns the net for images that the file or the user names, with the options of both.
  Architecture.OfClasses net(@Nullable String model, Architecture.Options given) {
    String own = card.model();
    if (own != null && card.input() == null && Architecture.textNames().contains(own)) {
      throw output.refused(
          "%s has the weights of %s, which was trained on text; give the folder of its run"
              .formatted(file, own));
    }
    String name = name(model);
    Architecture.Options all = options(given);
    return output.usage(() -> Architecture.images(name, all));
  }

  /// Returns the net for text that the file names; what the user says must agree.
  Architecture.OfText text(@Nullable String model, Architecture.Options given) {
    name(model);
    options(given);
    return output.usage(card::text);
  }

  /// Returns the net for masks that the file names; what the user says must agree.
  Architecture.OfMasks masks(@Nullable String model, Architecture.Options given) {
    name(model);
    options(given);
    return output.usage(card::masks);
  }

  private String name(@Nullable String model) {
    String own = card.model();
    agree("--model", model == null ? null : model.toLowerCase(Locale.ROOT), own);
    return own == null
        ? output.required(model, "--model, because the file does not say of which net it is")
        : own;
  }

  private Architecture.Options options(Architecture.Options given) {
    var said = card.options();
    return new Architecture.Options(
        one("--shortcut", given.shortcut(), said.shortcut()),
        one("--norm", given.norm(), said.norm()),
        one("--width", given.width(), said.width()),
        one("--hidden", given.hidden(), said.hidden()),
        one("--layers", given.layers(), said.layers()),
        one("--dropout", given.dropout(), said.dropout()),
        one("--stride-in", given.strideIn(), said.strideIn()),
        one("--zero-init", given.zeroInit(), said.zeroInit()));
  }

  /// Returns the shape of the net's images: as the user or the file says, or else the net's usual
  /// one.
  ImageShape input(@Nullable String given, Architecture.OfClasses net) {
    ImageShape parsed = given == null ? null : output.usage(() -> ModelsCommand.parse(given));
    return Objects.requireNonNullElse(one("--input", parsed, card.input()), net.input());
  }

  /// Returns the card of the net, for images of this shape, with or without names of classes.
  ModelCard card(
      Architecture.OfClasses net,
      @Nullable ImageShape input,
      @Nullable List<String> classes,
      Normalization normalization) {
    return ModelCard.ofImages(
            net.name(), net.options(), input, card.photos(), classes, normalization)
        .croppedBy(card.crop());
  }

  /// Returns the side in pixels to which photos are decoded, as in `--size`; 0 for images in
  /// memory.
  int side(@Nullable Integer given, Architecture.OfClasses net) {
    ImageShape input = card.input();
    Boolean photos = card.photos();
    Integer own = input == null || photos == null ? null : photos ? input.height() : 0;
    return Objects.requireNonNullElse(one("--size", given, own), net.photos());
  }

  /// Returns the names of the classes; null if neither the user nor the file says them.
  @Nullable List<String> classes(@Nullable List<String> given) {
    List<String> own = card.classes();
    if (given != null && own != null && !given.equals(own)) {
      throw contradiction("--classes", some(given), some(own));
    }
    return own == null ? given : own;
  }

  /// Returns the number of classes of the net; null if neither the user nor the file says it.
  @Nullable Integer classCount(@Nullable Integer given) {
    List<String> own = card.classes();
    return one("--classes", given, own == null ? null : own.size());
  }

  Normalization normalization(NormalizationOption option, int channels) {
    Normalization own = card.normalization();
    if (option.isGiven()) {
      Normalization given = option.given(channels, output);
      agree("--mean and --std", given, own);
      return given;
    }
    if (own == null) {
      throw output.refused(
          "weights from elsewhere need what their images were normalised by: --mean and --std, one"
              + " number per channel");
    }
    return own;
  }

  /// Returns the value that the user or the file says. Throws a usage error if they differ.
  private <T> @Nullable T one(String option, @Nullable T given, @Nullable T own) {
    agree(option, given, own);
    return own == null ? given : own;
  }

  private void agree(String option, @Nullable Object given, @Nullable Object own) {
    if (given != null && own != null && !given.equals(own)) {
      throw contradiction(option, given.toString(), own.toString());
    }
  }

  private RuntimeException contradiction(String option, String given, String own) {
    return output.refused(
        "%s: the file says %s, but %s was given; leave out %s"
            .formatted(file, own, option + " " + given, option));
  }

  private static String some(List<String> names) {
    List<String> first = names.stream().limit(SHOWN).map(Shown::name).toList();
    return "%s (%s%s)"
        .formatted(
            String.join(", ", first),
            names.size(),
            names.size() > SHOWN ? ", of which these are the first" : "");
  }
}
