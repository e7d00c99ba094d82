package fathom.task.mask;

import java.util.Arrays;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;

/// The boundary benchmark of BSDS500 (Martin, Fowlkes and Malik 2004; Arbeláez et al. 2011, section
/// 3.1): how well a probability for each pixel finds the outlines that several people have drawn.
///
/// At each threshold the pixels at or above it are thinned to lines of one pixel ([Thinned]) and
/// matched one to one with the outlines of each person, at most [#TOLERANCE] of the image's
/// diagonal apart ([PixelMatching]). Precision is the share of predicted pixels that are matched
/// with the outline of at least one person. Recall is the share of drawn pixels, of all people,
/// that are matched. F is 2·P·R / (P + R).
///
/// - ODS is the largest F of one threshold for all images. As in the benchmark, precision and
///   recall between two neighbouring thresholds are interpolated linearly, in a hundred steps.
/// - OIS is the F of the sums at the best threshold of each image.
/// - AP is the mean of precision as a function of recall, times 1.01, which is the benchmark's sum.
///   Precision is interpolated at 0, 0.01, ..., 1 and is 0 outside the recalls of all thresholds.
///
/// There is no non-maximum suppression across a line: if the scores of a net are broad, all that is
/// above the threshold is thinned to its middle.
public final class OutlineScore {
  /// The largest distance of corresponding pixels, as a share of the image's diagonal.
  public static final double TOLERANCE = 0.0075;

  private static final int STEPS = 100;

  private final double[] thresholds;

  /// For each threshold: found and all drawn pixels, right and all predicted pixels.
  private final double[][] counts;

  private final double[] best = new double[4];

  /// Starts with no images and the thresholds 1/(n + 1) to n/(n + 1) for n = `thresholds`; the
  /// benchmark has n = 99. Throws `IllegalArgumentException` if there is no threshold.
  public OutlineScore(int thresholds) {
    if (thresholds < 1) {
      throw new IllegalArgumentException(
          "a benchmark has at least one threshold, but %s were asked for".formatted(thresholds));
    }
    this.thresholds = new double[thresholds];
    Arrays.setAll(this.thresholds, i -> (i + 1.0) / (thresholds + 1));
    this.counts = new double[thresholds][4];
  }

  /// Adds an image of `height`×`width` pixels in row-major order: the probability of an outline at
  /// each pixel, and the drawing of each person, which is 1 where there is an outline.
  ///
  /// @throws IllegalArgumentException if there is no drawing, or if sizes differ
  public void add(float[] probability, List<byte[]> drawn, int height, int width) {
    double diagonal = Math.sqrt((double) height * height + (double) width * width);
    add(probability, drawn, height, width, TOLERANCE * diagonal);
  }

  /// Adds a part of an image. `distance` is the largest distance of corresponding pixels, in
  /// pixels, which depends on the whole image.
  ///
  /// @throws IllegalArgumentException if there is no drawing, or if sizes differ
  public void add(float[] probability, List<byte[]> drawn, int height, int width, double distance) {
    if (drawn.isEmpty()
        || probability.length != height * width
        || drawn.stream().anyMatch(each -> each.length != height * width)) {
      throw new IllegalArgumentException(
          "an image of %s×%s has a probability for each pixel and at least one drawing of that size, but has %s and %s"
              .formatted(
                  height, width, probability.length, drawn.stream().map(d -> d.length).toList()));
    }
    double[] own = new double[4];
    for (int t = 0; t < thresholds.length; t++) {
      double[] here = counted(probability, drawn, height, width, distance, thresholds[t]);
      for (int i = 0; i < 4; i++) {
        counts[t][i] += here[i];
      }
      own = t == 0 || f(here) > f(own) ? here : own;
    }
    for (int i = 0; i < 4; i++) {
      best[i] += own[i];
    }
  }

  private static double[] counted(
      float[] probability,
      List<byte[]> drawn,
      int height,
      int width,
      double distance,
      double threshold) {
    boolean[] lines = new boolean[probability.length];
    for (int p = 0; p < lines.length; p++) {
      lines[p] = probability[p] >= threshold;
    }
    boolean[] predicted = Thinned.of(lines, height, width);
    boolean[] right = new boolean[predicted.length];
    double[] counts = new double[4];
    for (byte[] each : drawn) {
      boolean[] truth = new boolean[each.length];
      for (int p = 0; p < truth.length; p++) {
        truth[p] = each[p] == 1;
      }
      var matching = PixelMatching.of(predicted, truth, height, width, distance);
      for (int p = 0; p < truth.length; p++) {
        counts[0] += matching.isMatchedInSecond(p) ? 1 : 0;
        counts[1] += truth[p] ? 1 : 0;
        right[p] |= matching.isMatchedInFirst(p);
      }
    }
    for (int p = 0; p < predicted.length; p++) {
      counts[2] += right[p] ? 1 : 0;
      counts[3] += predicted[p] ? 1 : 0;
    }
    return counts;
  }

  private static double recall(double[] counts) {
    return counts[1] == 0 ? 0 : counts[0] / counts[1];
  }

  private static double precision(double[] counts) {
    return counts[3] == 0 ? 0 : counts[2] / counts[3];
  }

  private static double f(double[] counts) {
    return f(precision(counts), recall(counts));
  }

  private static double f(double p, double r) {
    return p + r == 0 ? 0 : 2 * p * r / (p + r);
  }

  /// Returns the largest F of one threshold for all images (ODS), from 0 to 1.
  public double ods() {
    double largest = f(counts[0]);
    for (int t = 1; t < counts.length; t++) {
      for (int step = 0; step < STEPS; step++) {
        double d = (double) step / (STEPS - 1);
        double r = between(recall(counts[t - 1]), recall(counts[t]), d);
        double p = between(precision(counts[t - 1]), precision(counts[t]), d);
        largest = Math.max(largest, f(p, r));
      }
    }
    return largest;
  }

  private static double between(double from, double to, double share) {
    return from * (1 - share) + to * share;
  }

  /// Returns the F at the best threshold of each image (OIS), from 0 to 1.
  public double ois() {
    return f(best);
  }

  /// Returns the average precision (AP), from 0 to about 1. It is 0 if all thresholds have the same
  /// recall, because precision is then no function of recall.
  public double averagePrecision() {
    var byRecall = new TreeMap<Double, Double>();
    for (double[] each : counts) {
      // Among thresholds with the same recall the highest one stays, because MATLAB's unique kept
      // the last of equals.
      byRecall.put(recall(each), precision(each));
    }
    if (byRecall.size() < 2) {
      return 0;
    }
    double sum = 0;
    for (int i = 0; i <= 100; i++) {
      sum += precisionAt(i / 100.0, byRecall);
    }
    return sum / 100;
  }

  private static double precisionAt(double recall, NavigableMap<Double, Double> curve) {
    var from = curve.floorEntry(recall);
    var to = curve.ceilingEntry(recall);
    if (from == null || to == null) {
      return 0;
    }
    double width = to.getKey() - from.getKey();
    double share = width == 0 ? 0 : (recall - from.getKey()) / width;
    return between(from.getValue(), to.getValue(), share);
  }
}
