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

/// A trained net that says of what class every pixel of an image is. Any number of threads may call
/// one at a time; it is open until it is closed.
///
/// ```java
/// try (var predictor = MaskPredictor.open(Path.of("runs/masknet-outlines-1"))) {
///   Files.write(Path.of("cat.mask.png"), predictor.predict(Path.of("cat.jpg")).png());
/// }
/// ```
///
/// Images keep their size, which may be any that fits into memory with what the net makes of it.
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

  /// Of a run's folder its last checkpoint, or a file of weights that says of which net it is: one
  /// that was exported from a run, or a checkpoint. Throws [fathom.io.BadFileException] for a
  /// folder or file that is not there, is damaged or does not say enough.
  public static MaskPredictor open(Path from) {
    return open(from, Precision.FP32);
  }

  /// The same with the activations between the layers in this precision. Throws
  /// [fathom.DeviceException] if this machine does not have it.
  public static MaskPredictor open(Path from, Precision precision) {
    return Stored.at(from).open((card, weights) -> of(card, weights, precision));
  }

  /// The weights of the best epoch of a run's folder.
  public static MaskPredictor openBest(Path folder) {
    return openBest(folder, Precision.FP32);
  }

  /// The same in this precision.
  public static MaskPredictor openBest(Path folder, Precision precision) {
    return Stored.bestIn(folder).open((card, weights) -> of(card, weights, precision));
  }

  /// Of weights from wherever, which are of the net for masks that the card names. Throws
  /// `IllegalArgumentException` for a card that says too little or what does not go together, and
  /// [fathom.io.BadFileException] for weights of another net.
  public static MaskPredictor of(ModelCard card, Path weights) {
    return of(card, weights, Precision.FP32);
  }

  /// The same in this precision.
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

  /// What is known of the net and its images.
  public ModelCard card() {
    return card;
  }

  /// The names of the classes; a label is a position in this list, and the first is the background.
  public List<String> classes() {
    return classes;
  }

  /// The mask of the image in this file, a JPEG, PNG, GIF, BMP or WebP file, turned as its camera
  /// says. Throws [fathom.io.BadFileException] if it is no image or damaged.
  public PredictedMask predict(Path image) {
    return calls.call(() -> predict(MaskImage.of(image, channels)));
  }

  /// The same of the bytes of such a file.
  public PredictedMask predict(byte[] file) {
    return calls.call(() -> predict(MaskImage.of(file, channels)));
  }

  /// The same of an image that is decoded and upright.
  public PredictedMask predict(BufferedImage image) {
    return calls.call(() -> predict(MaskImage.of(image, channels)));
  }

  private PredictedMask predict(MaskImage image) {
    try (var _ = Scope.open()) {
      byte[] labels = pixels.predict(net, image, multiple).mask();
      return new PredictedMask(image.height(), image.width(), labels, classes);
    }
  }

  /// Frees the net when the calls that run have ended; later ones throw. Once is enough.
  @Override
  public void close() {
    calls.close();
  }
}
