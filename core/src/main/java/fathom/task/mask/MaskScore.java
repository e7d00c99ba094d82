package fathom.task.mask;

import fathom.loss.PixelLoss;
import java.util.Arrays;

/// Counts how predicted masks agree with the true ones, pixel by pixel, and for whatever is not
/// background also within a tolerance. Counts of several workers are added as arrays.
///
/// For each class c: both(c), the pixels that are predicted c and are c; predicted(c) and true(c).
/// Intersection over union, IoU(c) = both / (predicted + true − both).
///
/// With a tolerance of r pixels, a predicted foreground pixel (of any class but 0) is right if
/// there is a true one at most r away in the largest of the two directions, and a true one is found
/// if there is a predicted one so near: precision and recall of outlines, which are a pixel wide
/// and never drawn at quite the same place (Martin et al. 2004, with a square instead of a
/// matching). Pixels without a label count nowhere.
public final class MaskScore {
  private final int classes;
  private final int tolerance;

  /// both, predicted and true of each class, then right and all predicted, found and all true
  /// foreground pixels, then wrong and all labelled pixels.
  private final double[] counts;

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

  /// What was counted, to be summed over workers in place.
  public double[] counts() {
    return counts;
  }

  /// Adds an image of `height`×`width` pixels in row-major order.
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

  /// How many of `these` lie in `near`, and how many there are.
  private void count(boolean[] these, boolean[] near, int at) {
    for (int i = 0; i < these.length; i++) {
      counts[at] += these[i] && near[i] ? 1 : 0;
      counts[at + 1] += these[i] ? 1 : 0;
    }
  }

  /// Everything at most the tolerance away, along rows and then along columns.
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

  /// Of a class, from 0 to 1; NaN where it is neither true nor predicted anywhere.
  public double iou(int c) {
    double both = counts[3 * c];
    return both / (counts[3 * c + 1] + counts[3 * c + 2] - both);
  }

  /// The mean over the classes that occur, in percent.
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

  /// In percent; NaN where nothing was predicted.
  public double precision() {
    return 100 * counts[3 * classes] / counts[3 * classes + 1];
  }

  /// In percent; NaN where there was nothing to find.
  public double recall() {
    return 100 * counts[3 * classes + 2] / counts[3 * classes + 3];
  }

  /// 2·precision·recall / (precision + recall), in percent; 0 where either is 0 or not known.
  public double f() {
    double p = precision();
    double r = recall();
    return p > 0 && r > 0 ? 2 * p * r / (p + r) : 0;
  }

  /// The pixels that got another class than theirs, in percent of those with a label.
  public double error() {
    return 100 * counts[3 * classes + 4] / counts[3 * classes + 5];
  }
}
