package fathom.task.mask;

import fathom.loss.PixelLoss;
import java.util.Arrays;

/// Counts how well predicted masks agree with the true ones, pixel by pixel, and for the foreground
/// also within a tolerance. Counts of several workers are added as arrays.
///
/// For each class c there are three counts: both(c), the pixels that are predicted as c and are c;
/// predicted(c); and true(c). The intersection over union is IoU(c) = both / (predicted + true −
/// both).
///
/// With a tolerance of r pixels, a predicted foreground pixel (of any class but 0) is right if
/// there is a true foreground pixel at most r pixels away in each of the two directions. A true
/// foreground pixel is found if there is a predicted one as near. This gives precision and recall
/// of outlines, which are one pixel wide and never drawn at quite the same place (Martin et al.
/// 2004, with a square instead of a matching). Pixels without a label are not counted.
public final class MaskScore {
  private final int classes;
  private final int tolerance;

  /// First both, predicted and true of each class. Then, of foreground pixels, right and all
  /// predicted, found and all true. Then wrong and all labelled pixels.
  private final double[] counts;

  /// Starts with no images. Throws `IllegalArgumentException` if there are fewer than two classes
  /// or the tolerance, in pixels, is negative.
  public MaskScore(int classes, int tolerance) {
    if (classes < 2 || tolerance < 0) {
      throw new IllegalArgumentException(
          "masks have two classes or more and a tolerance of 0 pixels or more, but have %s and %s"
              .formatted(classes, tolerance));
    }
    this.classes = classes;
    this.tolerance = tolerance;
    this.counts = new double[3 * classes + 6];
  }

  /// Returns the counts, which may be summed over workers in place.
  public double[] counts() {
    return counts;
  }

  /// Adds an image of `height`×`width` pixels: the true and the predicted class of each, in
  /// row-major order.
  public void add(byte[] truth, byte[] predicted, int height, int width) {
    boolean[] isTrue = new boolean[truth.length];
    boolean[] isPredicted = new boolean[truth.length];
    for (int i = 0; i < truth.length; i++) {
      if (truth[i] == PixelLoss.UNLABELLED) {
        continue;
      }
      counts[3 * predicted[i] + 1]++;
      counts[3 * truth[i] + 2]++;
      counts[3 * truth[i]] += truth[i] == predicted[i] ? 1 : 0;
      counts[3 * classes + 4] += truth[i] == predicted[i] ? 0 : 1;
      counts[3 * classes + 5]++;
      isTrue[i] = truth[i] != 0;
      isPredicted[i] = predicted[i] != 0;
    }
    count(isPredicted, widened(isTrue, height, width), 3 * classes);
    count(isTrue, widened(isPredicted, height, width), 3 * classes + 2);
  }

  /// Adds to the counts the number of `these` that lie in `near`, and the number of all `these`.
  private void count(boolean[] these, boolean[] near, int at) {
    for (int i = 0; i < these.length; i++) {
      counts[at] += these[i] && near[i] ? 1 : 0;
      counts[at + 1] += these[i] ? 1 : 0;
    }
  }

  /// The pixels within the tolerance of those that are set, widened along rows and then along
  /// columns.
  private boolean[] widened(boolean[] of, int height, int width) {
    boolean[] rows = new boolean[of.length];
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        if (of[y * width + x]) {
          Arrays.fill(
              rows,
              y * width + Math.max(0, x - tolerance),
              y * width + Math.min(width, x + tolerance + 1),
              true);
        }
      }
    }
    boolean[] all = new boolean[of.length];
    for (int y = 0; y < height; y++) {
      for (int at = Math.max(0, y - tolerance); at < Math.min(height, y + tolerance + 1); at++) {
        for (int x = 0; x < width; x++) {
          all[at * width + x] |= rows[y * width + x];
        }
      }
    }
    return all;
  }

  /// Returns the intersection over union of a class, from 0 to 1; NaN if the class is neither true
  /// nor predicted anywhere.
  public double iou(int c) {
    double both = counts[3 * c];
    return both / (counts[3 * c + 1] + counts[3 * c + 2] - both);
  }

  /// Returns the mean intersection over union of the classes that occur, in percent.
  public double meanIou() {
    double sum = 0;
    int occur = 0;
    for (int c = 0; c < classes; c++) {
      if (!Double.isNaN(iou(c))) {
        sum += iou(c);
        occur++;
      }
    }
    return 100 * sum / occur;
  }

  /// Returns the precision of the foreground, in percent; NaN if no foreground was predicted.
  public double precision() {
    return 100 * counts[3 * classes] / counts[3 * classes + 1];
  }

  /// Returns the recall of the foreground, in percent; NaN if there is no true foreground.
  public double recall() {
    return 100 * counts[3 * classes + 2] / counts[3 * classes + 3];
  }

  /// Returns F = 2·precision·recall / (precision + recall), in percent; 0 if either is 0 or NaN.
  public double f() {
    double p = precision();
    double r = recall();
    return p > 0 && r > 0 ? 2 * p * r / (p + r) : 0;
  }

  /// Returns the share of labelled pixels that were predicted as another class, in percent.
  public double error() {
    return 100 * counts[3 * classes + 4] / counts[3 * classes + 5];
  }
}
