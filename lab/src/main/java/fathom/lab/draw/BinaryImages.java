package fathom.lab.draw;

import fathom.RandomKey;
import fathom.Tensor;
import fathom.data.DataSet;
import fathom.data.Images;
import java.util.Arrays;

/// Binary images to train with and others to be held out, in a fixed binarisation: pixel by pixel,
/// 1 with the probability of its brightness, by a draw that is the same for every seed of an
/// experiment, as Larochelle and Murray (2011) did it once for all with MNIST. What is black and
/// white already stays as it is.
///
/// @param train N×(B·A) of 0 and 1, row by row
/// @param test likewise
record BinaryImages(int height, int width, float[] train, float[] test) {
  /// The first images of a data set in grey; fewer if it has not so many.
  static BinaryImages of(DataSet data, int train, int test) {
    return new BinaryImages(
        data.train().height(),
        data.train().width(),
        binary(data.train().images(), train, RandomKey.of(0, "binarisation train")),
        binary(data.test().images(), test, RandomKey.of(0, "binarisation test")));
  }

  /// The same, enlarged by a whole factor and black and white: grey is interpolated linearly
  /// between the middles of pixels, and what is at least half as bright as can be is 1.
  static BinaryImages enlarged(DataSet data, int factor, int train, int test) {
    return new BinaryImages(
        factor * data.train().height(),
        factor * data.train().width(),
        enlarged(data.train().images(), factor, train),
        enlarged(data.test().images(), factor, test));
  }

  private static float[] enlarged(Images images, int factor, int most) {
    int height = factor * images.height();
    int width = factor * images.width();
    int count = Math.min(most, images.count());
    float[] binary = new float[count * height * width];
    for (int i = 0; i < binary.length; i++) {
      int first = i / (height * width) * images.size();
      double grey =
          grey(images, first, middle(i / width % height, factor), middle(i % width, factor));
      binary[i] = grey >= 127.5 ? 1 : 0;
    }
    return binary;
  }

  /// Where the middle of a pixel of the enlarged image lies, counted in pixels of the other.
  private static double middle(int pixel, int factor) {
    return (pixel + 0.5) / factor - 0.5;
  }

  private static double grey(Images images, int first, double y, double x) {
    double sum = 0;
    for (int corner = 0; corner < 4; corner++) {
      int row = (int) Math.floor(y) + corner / 2;
      int column = (int) Math.floor(x) + corner % 2;
      double weight = (1 - Math.abs(y - row)) * (1 - Math.abs(x - column));
      int at =
          Math.clamp(row, 0, images.height() - 1) * images.width()
              + Math.clamp(column, 0, images.width() - 1);
      sum += weight * Byte.toUnsignedInt(images.pixels()[first + at]);
    }
    return sum;
  }

  private static float[] binary(Images images, int most, RandomKey draw) {
    int plane = images.height() * images.width();
    int count = Math.min(most, images.count());
    float[] binary = new float[count * plane];
    for (int i = 0; i < count; i++) {
      RandomKey of = draw.at(i);
      for (int p = 0; p < plane; p++) {
        int brightness = Byte.toUnsignedInt(images.pixels()[i * images.size() + p]);
        binary[i * plane + p] = of.uniform(p) * 255 < brightness ? 1 : 0;
      }
    }
    return binary;
  }

  int pixels() {
    return height * width;
  }

  /// The images at these places of `images`.
  Tensor batch(float[] images, int[] places) {
    float[] batch = new float[places.length * pixels()];
    for (int i = 0; i < places.length; i++) {
      System.arraycopy(images, places[i] * pixels(), batch, i * pixels(), pixels());
    }
    return Tensor.of(batch, places.length, pixels());
  }

  int count(float[] images) {
    return images.length / pixels();
  }

  /// −log p, in nats per held-out image, of the best constant model: each pixel is 1 by itself with
  /// a probability of its own. The probabilities are those of the held-out images, so that no other
  /// constant model can be better on them.
  double constant() {
    double[] ones = new double[pixels()];
    for (int i = 0; i < test.length; i++) {
      ones[i % pixels()] += test[i];
    }
    int n = count(test);
    return Arrays.stream(ones).map(k -> entropy(k / n)).sum();
  }

  private static double entropy(double p) {
    return p <= 0 || p >= 1 ? 0 : -p * Math.log(p) - (1 - p) * Math.log(1 - p);
  }
}
