package fathom.lab.draw;

import fathom.Draw;
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
        binary(data.train().images(), train, Draw.of(0, "binarisation train")),
        binary(data.test().images(), test, Draw.of(0, "binarisation test")));
  }

  private static float[] binary(Images images, int most, Draw draw) {
    int plane = images.height() * images.width();
    int count = Math.min(most, images.count());
    float[] binary = new float[count * plane];
    for (int i = 0; i < count; i++) {
      Draw of = draw.at(i);
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
