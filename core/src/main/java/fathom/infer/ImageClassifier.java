package fathom.infer;

import fathom.Lifetime;
import fathom.Predictor;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.data.Images;
import fathom.data.Loader;
import fathom.data.Normalization;
import fathom.data.Resizing;
import fathom.data.Rows;
import fathom.net.Architecture;
import fathom.net.ImageShape;
import fathom.nn.Init;
import fathom.train.Precision;
import fathom.train.Weights;
import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;

/// A trained net that predicts the class of images. Any number of threads may call it at a time,
/// until it is closed.
///
/// ```java
/// try (var classifier = ImageClassifier.open(Path.of("runs/mine"))) {
///   System.out.println(classifier.classify(Path.of("cat.jpg")).best());
/// }
/// ```
///
/// Images may have any size and come from files, from memory or as pixels; their preprocessing is
/// that of the tests in training ([Resizing], [Normalization]). Calls with many images are divided
/// into batches of at most [#BATCH]. A call after [#close()] throws `IllegalStateException`.
public final class ImageClassifier implements AutoCloseable {
  /// The number of images that a call has in memory at a time.
  public static final int BATCH = 256;

  private final ModelCard card;
  private final List<String> classes;
  private final Resizing resizing;
  private final Normalization normalization;
  private final PackedNet net;
  private final Calls calls;

  private ImageClassifier(ModelCard card, Path weights, Precision precision, Lifetime life) {
    ImageShape size = Objects.requireNonNull(card.input());
    this.card = card;
    this.classes = Objects.requireNonNull(card.classes());
    this.normalization = Objects.requireNonNull(card.normalization());
    this.resizing =
        new Resizing(
            size.channels(),
            size.height(),
            size.width(),
            Objects.requireNonNull(card.photos()),
            card.crop());
    Architecture.OfClasses plain = card.images();
    Loader _ = new Loader(resizing.none(), normalization); // throws if they do not fit together
    this.net =
        PackedNet.of(
            () -> {
              var layers = plain.build(Init.zeros());
              Weights.read(weights, layers);
              return layers;
            },
            precision.type(),
            Shape.of(size.channels(), size.height(), size.width()),
            life);
    this.calls = new Calls("classifier", life);
  }

  /// Opens the last checkpoint in a run's folder, or a file of weights that states the net it
  /// belongs to: one that was exported from a run, or a checkpoint. Throws
  /// [fathom.io.BadFileException] for a folder or file that does not exist, is damaged or lacks
  /// necessary information.
  public static ImageClassifier open(Path from) {
    return open(from, Precision.FP32);
  }

  /// Does the same as [#open(Path)], with the activations between the layers in this precision.
  /// Throws [fathom.DeviceException] if this machine does not support it.
  public static ImageClassifier open(Path from, Precision precision) {
    return Stored.at(from).open((card, weights) -> of(card, weights, precision));
  }

  /// Opens the weights of the best epoch in a run's folder. Throws [fathom.io.BadFileException] as
  /// [#open(Path)] does, and if the run has no such weights.
  public static ImageClassifier openBest(Path folder) {
    return openBest(folder, Precision.FP32);
  }

  /// Does the same as [#openBest(Path)], with the activations between the layers in this precision.
  /// Throws [fathom.DeviceException] if this machine does not support it.
  public static ImageClassifier openBest(Path folder, Precision precision) {
    return Stored.bestIn(folder).open((card, weights) -> of(card, weights, precision));
  }

  /// Opens weights of any origin, which belong to the net that the card names. Throws
  /// `IllegalArgumentException` for a card without a net or a normalization, or whose parts do not
  /// fit together, and [fathom.io.BadFileException] for weights of another net.
  public static ImageClassifier of(ModelCard card, Path weights) {
    return of(card, weights, Precision.FP32);
  }

  /// Does the same as [#of(ModelCard, Path)], with the activations between the layers in this
  /// precision. Throws [fathom.DeviceException] if this machine does not support it.
  public static ImageClassifier of(ModelCard card, Path weights, Precision precision) {
    precision.check();
    var life = new Lifetime();
    try {
      return new ImageClassifier(card.completed(), weights, precision, life);
    } catch (RuntimeException | Error e) {
      life.close();
      throw e;
    }
  }

  /// Returns all that is known of the net and its images. Only the entries for text are null.
  public ModelCard card() {
    return card;
  }

  /// Returns the names of the classes in the order of the net's outputs.
  public List<String> classes() {
    return classes;
  }

  /// Returns how an image of any size is converted to the net's size.
  public Resizing resizing() {
    return resizing;
  }

  /// Returns the normalization of every value of an image.
  public Normalization normalization() {
    return normalization;
  }

  /// Returns the net itself, which predicts from normalised images N×C×H×W their logits N×K, both
  /// in the caller's innermost scope. It is closed with this classifier.
  public Predictor net() {
    return images -> calls.call(() -> net.predict(images));
  }

  /// Predicts the class of the image in this file. Throws [fathom.io.BadFileException] if the file
  /// is no image or is damaged.
  public Classification classify(Path image) {
    return calls.call(() -> classify(resizing.of(image)).getFirst());
  }

  /// Predicts the class of the image in the bytes of such a file, with the same errors.
  public Classification classify(byte[] file) {
    return calls.call(() -> classify(resizing.of(file)).getFirst());
  }

  /// Predicts the class of an image that is decoded and upright.
  public Classification classify(BufferedImage image) {
    return calls.call(() -> classify(resizing.of(image)).getFirst());
  }

  /// Predicts the classes of the images in these files, in their order. Throws
  /// [fathom.io.BadFileException] if one of them is no image or is damaged; to go on without such a
  /// file, read the files one by one with [#resizing()].
  public List<Classification> classify(List<Path> images) {
    return calls.call(() -> {
      var all = new ArrayList<Classification>();
      for (int from = 0; from < images.size(); from += BATCH) {
        List<Images> decoded =
            images.subList(from, Math.min(images.size(), from + BATCH)).parallelStream()
                .map(resizing::of)
                .toList();
        all.addAll(classify(Images.joined(decoded)));
      }
      return all;
    });
  }

  /// Predicts the classes of these images of the net's size, in their order, ignoring their labels.
  /// Throws `IllegalArgumentException` for images of another size.
  public List<Classification> classify(Images images) {
    return Arrays.stream(probabilities(images))
        .map(each -> Classification.of(classes, each))
        .toList();
  }

  /// Returns the probability of each class for each of these images of the net's size: N×K. Throws
  /// `IllegalArgumentException` for images of another size.
  public double[][] probabilities(Images images) {
    if (images.count() > 0
        && (images.channels() != resizing.channels()
            || images.height() != resizing.height()
            || images.width() != resizing.width())) {
      throw new IllegalArgumentException(
          "the net takes images of %s, but these are %s×%s×%s; bring them to its size with resizing()"
              .formatted(card.input(), images.channels(), images.height(), images.width()));
    }
    return calls.call(() -> {
      double[][] all = new double[images.count()][];
      for (int from = 0; from < all.length; from += BATCH) {
        fill(all, images, from, Math.min(all.length, from + BATCH));
      }
      return all;
    });
  }

  private void fill(double[][] all, Images images, int from, int to) {
    int[] order = IntStream.range(from, to).toArray();
    int width = classes.size();
    try (var _ = Scope.open()) {
      Tensor x = new Loader(images, normalization).images(order, new Rows(0, order.length));
      double[] some = net.predict(x).logSoftmax(1).exp().toDoubles();
      for (int i = from; i < to; i++) {
        all[i] = Arrays.copyOfRange(some, (i - from) * width, (i - from + 1) * width);
      }
    }
  }

  /// Frees the net when the running calls have ended; later calls throw. Closing again does
  /// nothing.
  @Override
  public void close() {
    calls.close();
  }
}
