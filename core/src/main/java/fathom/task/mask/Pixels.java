package fathom.task.mask;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import fathom.DType;
import fathom.Predictor;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.data.MaskImage;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/// The conversion of images to the input of a net for masks, and of the net's output to masks.
///
/// @param mean the mean of each channel, for pixels scaled to 0 to 1
/// @param standardDeviation the standard deviation of each channel, on the same scale
public record Pixels(float[] mean, float[] standardDeviation) {
  /// The mean and standard deviation of all pixels of these images.
  static Pixels of(List<MaskImage> images) {
    int channels = images.getFirst().channels();
    double[] sum = new double[channels];
    double[] squares = new double[channels];
    long count = 0;
    for (MaskImage image : images) {
      int plane = image.height() * image.width();
      count += plane;
      for (int c = 0; c < channels; c++) {
        for (int i = c * plane; i < (c + 1) * plane; i++) {
          double v = (image.pixels()[i] & 0xff) / 255.0;
          sum[c] += v;
          squares[c] += v * v;
        }
      }
    }
    float[] mean = new float[channels];
    float[] standardDeviation = new float[channels];
    for (int c = 0; c < channels; c++) {
      double m = sum[c] / count;
      mean[c] = (float) m;
      standardDeviation[c] = (float) Math.max(1e-3, Math.sqrt(squares[c] / count - m * m));
    }
    return new Pixels(mean, standardDeviation);
  }

  /// A region of `height`×`width` pixels from (`top`, `left`) on, mirrored if `flip`. It may extend
  /// beyond the image.
  record Crop(int top, int left, int height, int width, boolean flip) {
    /// A square region that `key` chooses. It is anywhere in the image along a direction in which
    /// the image is larger, has the image in the middle where it is smaller, and is mirrored with
    /// probability ½.
    static Crop drawn(MaskImage image, int side, RandomKey key) {
      return new Crop(
          start(image.height(), side, key, 0),
          start(image.width(), side, key, 1),
          side,
          side,
          key.bits(2) < 0);
    }

    private static int start(int size, int side, RandomKey key, int of) {
      return size > side ? key.below(of, size - side + 1) : -((side - size) / 2);
    }

    /// The whole image, with a border below and to the right up to a multiple of `multiple`.
    static Crop whole(int height, int width, int multiple) {
      return new Crop(
          0,
          0,
          Math.ceilDiv(height, multiple) * multiple,
          Math.ceilDiv(width, multiple) * multiple,
          false);
    }

    private int row(int y) {
      return top + y;
    }

    private int column(int x) {
      return left + (flip ? width - 1 - x : x);
    }
  }

  /// The regions of images, all of one size, as N×C×H×W in float32 with channels innermost; N may
  /// be 0. Outside an image the pixels of its edge are repeated.
  Tensor images(List<MaskImage> images, List<Crop> crops, int height, int width) {
    int channels = mean.length;
    Tensor x = Tensor.emptyImages(DType.FLOAT32, images.size(), channels, height, width);
    float[] row = new float[width * channels];
    for (int i = 0; i < images.size(); i++) {
      MaskImage image = images.get(i);
      Crop crop = crops.get(i);
      int plane = image.height() * image.width();
      for (int y = 0; y < crop.height; y++) {
        int from = Math.clamp(crop.row(y), 0, image.height() - 1) * image.width();
        for (int at = 0; at < crop.width; at++) {
          int p = from + Math.clamp(crop.column(at), 0, image.width() - 1);
          for (int c = 0; c < channels; c++) {
            row[at * channels + c] =
                ((image.pixels()[c * plane + p] & 0xff) / 255f - mean[c]) / standardDeviation[c];
          }
        }
        long at = ((long) i * crop.height + y) * row.length;
        MemorySegment.copy(row, 0, x.segment(), JAVA_FLOAT_UNALIGNED, 4 * at, row.length);
      }
    }
    return x;
  }

  /// The masks of the same regions. Pixels outside an image have no label.
  static byte[] masks(List<MaskImage> images, List<Crop> crops, int height, int width) {
    byte[] masks = new byte[images.size() * height * width];
    Arrays.fill(masks, MaskImage.UNLABELLED);
    int at = 0;
    for (int i = 0; i < images.size(); i++) {
      MaskImage image = images.get(i);
      Crop crop = crops.get(i);
      for (int y = 0; y < crop.height; y++) {
        for (int x = 0; x < crop.width; x++, at++) {
          int row = crop.row(y);
          int column = crop.column(x);
          if (row >= 0 && row < image.height() && column >= 0 && column < image.width()) {
            masks[at] = image.mask()[row * image.width() + column];
          }
        }
      }
    }
    return masks;
  }

  /// The prediction of a net for a whole image.
  ///
  /// @param scores the scores of each class, 1×K×H×W, of the image with its border
  /// @param mask the likeliest class of each pixel, H×W
  /// @param foreground the probability of each pixel, H×W, to be of another class than 0
  public record Seen(Tensor scores, byte[] mask, float[] foreground) {}

  /// Predicts a whole image, whose border `multiple` determines. The scores live in the innermost
  /// scope.
  public Seen predict(Predictor net, MaskImage image, int multiple) {
    Crop whole = Crop.whole(image.height(), image.width(), multiple);
    Tensor scores = net.predict(images(List.of(image), List.of(whole), whole.height, whole.width));
    int classes = (int) scores.shape().size(1);
    byte[] mask = new byte[image.height() * image.width()];
    float[] foreground = new float[mask.length];
    try (var _ = Scope.open()) {
      MemorySegment all = scores.channelsLast().segment();
      float[] row = new float[whole.width * classes];
      for (int y = 0; y < image.height(); y++) {
        MemorySegment.copy(all, JAVA_FLOAT_UNALIGNED, 4L * y * row.length, row, 0, row.length);
        for (int x = 0; x < image.width(); x++) {
          int p = y * image.width() + x;
          mask[p] = largest(row, x * classes, classes);
          foreground[p] = foreground(row, x * classes, classes);
        }
      }
    }
    return new Seen(scores, mask, foreground);
  }

  private static byte largest(float[] scores, int at, int classes) {
    int best = 0;
    for (int k = 1; k < classes; k++) {
      best = scores[at + k] > scores[at + best] ? k : best;
    }
    return (byte) best;
  }

  private static float foreground(float[] scores, int at, int classes) {
    double others = 0;
    for (int k = 1; k < classes; k++) {
      others += Math.exp(scores[at + k] - scores[at]);
    }
    return (float) (others == Double.POSITIVE_INFINITY ? 1 : others / (1 + others));
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof Pixels other
        && Arrays.equals(mean, other.mean)
        && Arrays.equals(standardDeviation, other.standardDeviation);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(mean) + Arrays.hashCode(standardDeviation);
  }
}
