package fathom.serve;

import fathom.data.Images;
import fathom.data.Resizing;
import fathom.infer.ImageClassifier;
import fathom.parallel.Cores;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.TimeUnit;
import javax.imageio.ImageIO;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/// Decodes and predicts before there is a request. The first prediction packs the weights, and a
/// JVM compiles what it has run many times: without this, the first clients would wait a hundred
/// times as long as the later ones, and some of them for nothing.
final class WarmUp {
  /// So many rounds after the last one that was clearly faster than all before, nothing more is
  /// expected of the compiler.
  private static final int STEADY = 20;

  private static final double CLEARLY = 0.9;
  private static final long MOST_NANOS = TimeUnit.SECONDS.toNanos(5);

  private final ImageClassifier classifier;
  private final int batch;
  private final byte[] file;
  private long imageNanos = Long.MAX_VALUE;

  /// @param batch the most images that are predicted together
  WarmUp(ImageClassifier classifier, int batch) {
    this.classifier = classifier;
    this.batch = batch;
    this.file = jpeg(classifier.resizing());
  }

  private static byte[] jpeg(Resizing to) {
    var out = new ByteArrayOutputStream();
    var image = new BufferedImage(to.width(), to.height(), BufferedImage.TYPE_INT_RGB);
    try (var file = new MemoryCacheImageOutputStream(out)) { // any other writes a temporary file
      ImageIO.write(image, "jpeg", file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  /// Works once, for a JVM that has compiled everything: a file, a single image by one core and by
  /// all, a batch by one core.
  void once() {
    var _ = classifier.resizing().of(file);
    Cores.alone(() -> {
      long begun = System.nanoTime();
      predict(1);
      imageNanos = Math.min(imageNanos, System.nanoTime() - begun);
      predict(batch);
    });
    predict(1);
  }

  /// Returns the least time that one core took for one image.
  long imageNanos() {
    return imageNanos;
  }

  /// Works until it gets no faster, or for some seconds.
  void untilSteady() {
    long end = System.nanoTime() + MOST_NANOS;
    long least = Long.MAX_VALUE;
    int since = 0;
    while (since < STEADY && System.nanoTime() < end) {
      long begun = System.nanoTime();
      once();
      long took = System.nanoTime() - begun;
      since = took < CLEARLY * least ? 0 : since + 1;
      least = Math.min(least, took);
    }
  }

  private void predict(int images) {
    Resizing to = classifier.resizing();
    byte[] pixels = new byte[images * to.channels() * to.height() * to.width()];
    var _ =
        classifier.probabilities(
            new Images(to.channels(), to.height(), to.width(), pixels, new int[images]));
  }
}
