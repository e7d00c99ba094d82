package fathom.infer;

import fathom.task.mask.Palette;
import java.util.Arrays;
import java.util.List;

/// The predicted class of every pixel of an image.
///
/// @param labels H×W positions in `classes`, row by row; the array is not copied
/// @param classes the names of the classes
public record PredictedMask(int height, int width, byte[] labels, List<String> classes) {
  /// Throws `IllegalArgumentException` unless there is a label for each pixel.
  public PredictedMask {
    classes = List.copyOf(classes);
    if (labels.length != (long) height * width) {
      throw new IllegalArgumentException(
          "a mask has a label for each pixel, but %s×%s have %s"
              .formatted(height, width, labels.length));
    }
  }

  /// Returns the share of the pixels that each class has, from 0 to 1, in the order of the classes.
  public double[] shares() {
    double[] shares = new double[classes.size()];
    for (byte label : labels) {
      shares[Byte.toUnsignedInt(label)]++;
    }
    for (int k = 0; k < shares.length; k++) {
      shares[k] /= labels.length;
    }
    return shares;
  }

  /// Returns the mask as the bytes of a PNG file with a palette. Its indices are the labels, so
  /// that it can serve as training data again, and its colours are easy to tell apart.
  public byte[] png() {
    return Palette.indexed(height, width, labels);
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof PredictedMask other
        && height == other.height
        && width == other.width
        && Arrays.equals(labels, other.labels)
        && classes.equals(other.classes);
  }

  @Override
  public int hashCode() {
    return 31 * classes.hashCode() + Arrays.hashCode(labels);
  }

  /// Returns the size and the number of classes, for example `321×481, 2 classes`.
  @Override
  public String toString() {
    return "%s×%s, %s classes".formatted(height, width, classes.size());
  }
}
