package fathom.infer;

import fathom.Lifetime;
import fathom.Scope;
import fathom.Shape;
import fathom.data.MaskImage;
import fathom.data.Normalization;
import fathom.net.Architecture;
import fathom.nn.Init;
import fathom.task.mask.Pixels;
import fathom.train.Precision;
import fathom.train.Weights;
import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/// A trained net that predicts the class of every pixel of an image. Any number of threads may call
/// it at a time, until it is closed; a later call throws `IllegalStateException`.
///
/// ```java
/// try (var predictor = MaskPredictor.open(Path.of("runs/masknet-outlines-1"))) {
///   Files.write(Path.of("cat.mask.png"), predictor.predict(Path.of("cat.jpg")).png());
/// }
/// ```
///
/// Images keep their size, which may be any for which the image and the activations of the net fit
/// into memory.
public final class MaskPredictor implements AutoCloseable {
  private final ModelCard card;
  private final List<String> classes;
  private final int channels;
  private final int multiple;
  private final Pixels pixels;
  private final PackedNet net;
  private final Calls calls;

  private MaskPredictor(ModelCard card, Path weights, Precision precision, Lifetime life) {
    Architecture.OfMasks plain = card.masks();
    Normalization normalization = Objects.requireNonNull(card.normalization());
    this.card = card;
    this.classes = Objects.requireNonNull(card.classes());
    this.channels = plain.input().channels();
    this.multiple = plain.multiple();
    this.pixels = new Pixels(normalization.mean(), normalization.standardDeviation());
    this.net =
        PackedNet.of(
            () -> {
              var layers = plain.build(Init.zeros());
              Weights.read(weights, layers);
              return layers;
            },
            precision.type(),
            Shape.of(channels, multiple, multiple),
            life);
    this.calls = new Calls("mask predictor", life);
  }

  /// Opens the last checkpoint in a run's folder, or a file of weights that states the net it
  /// belongs to: one that was exported from a run, or a checkpoint. Throws
  /// [fathom.io.BadFileException] for a folder or file that does not exist, is damaged or lacks
  /// necessary information.
  public static MaskPredictor open(Path from) {
    return open(from, Precision.FP32);
  }

  /// Does the same as [#open(Path)], with the activations between the layers in this precision.
  /// Throws [fathom.DeviceException] if this machine does not support it.
  public static MaskPredictor open(Path from, Precision precision) {
    return Stored.at(from).open((card, weights) -> of(card, weights, precision));
  }

  /// Opens the weights of the best epoch in a run's folder. Throws [fathom.io.BadFileException] as
  /// [#open(Path)] does, and if the run has no such weights.
  public static MaskPredictor openBest(Path folder) {
    return openBest(folder, Precision.FP32);
  }

  /// Does the same as [#openBest(Path)], with the activations between the layers in this precision.
  /// Throws [fathom.DeviceException] if this machine does not support it.
  public static MaskPredictor openBest(Path folder, Precision precision) {
    return Stored.bestIn(folder).open((card, weights) -> of(card, weights, precision));
  }

  /// Opens weights of any origin, which belong to the net for masks that the card names. Throws
  /// `IllegalArgumentException` for a card that lacks necessary information or whose parts do not
  /// fit together, and [fathom.io.BadFileException] for weights of another net.
  public static MaskPredictor of(ModelCard card, Path weights) {
    return of(card, weights, Precision.FP32);
  }

  /// Does the same as [#of(ModelCard, Path)], with the activations between the layers in this
  /// precision. Throws [fathom.DeviceException] if this machine does not support it.
  public static MaskPredictor of(ModelCard card, Path weights, Precision precision) {
    precision.check();
    var life = new Lifetime();
    try {
      return new MaskPredictor(card, weights, precision, life);
    } catch (RuntimeException | Error e) {
      life.close();
      throw e;
    }
  }

  /// Returns what is known of the net and its images.
  public ModelCard card() {
    return card;
  }

  /// Returns the names of the classes; a label is a position in this list, and the first class is
  /// the background.
  public List<String> classes() {
    return classes;
  }

  /// Predicts the mask of the image in this file, a JPEG, PNG, GIF, BMP or WebP file, which is
  /// rotated as its camera recorded it. Throws [fathom.io.BadFileException] if the file is no image
  /// or is damaged.
  public PredictedMask predict(Path image) {
    return calls.call(() -> predict(MaskImage.of(image, channels)));
  }

  /// Predicts the mask of the image in the bytes of such a file, with the same errors.
  public PredictedMask predict(byte[] file) {
    return calls.call(() -> predict(MaskImage.of(file, channels)));
  }

  /// Predicts the mask of an image that is decoded and upright.
  public PredictedMask predict(BufferedImage image) {
    return calls.call(() -> predict(MaskImage.of(image, channels)));
  }

  private PredictedMask predict(MaskImage image) {
    try (var _ = Scope.open()) {
      byte[] labels = pixels.predict(net, image, multiple).mask();
      return new PredictedMask(image.height(), image.width(), labels, classes);
    }
  }

  /// Frees the net when the running calls have ended; later calls throw. Closing again does
  /// nothing.
  @Override
  public void close() {
    calls.close();
  }
}
