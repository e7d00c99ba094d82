package fathom.task.mask;

import java.util.Arrays;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;

/// The boundary benchmark of BSDS500 (Martin, Fowlkes and Malik 2004; Arbeláez et al. 2011, section
/// 3.1): how well a probability for each pixel finds the outlines that several people have drawn.
///
/// At each threshold the pixels at or above it are made one pixel wide ([Thinned]) and matched one
/// to one with the outlines of each person, at most [#TOLERANCE] of the image's diagonal apart
/// ([PixelMatching]). Precision is the share of predicted pixels that are matched with anybody's;
/// recall the share of drawn pixels, of all people, that are matched. F is 2·P·R / (P + R).
///
/// - ODS is the largest F of one threshold for all images, between two neighbouring thresholds by
///   precision and recall on the line between them, in a hundred steps, as in the benchmark;
/// - OIS the F of the sums at the best threshold of each image;
/// - AP the mean of precision as a function of recall, interpolated at 0, 0.01, ..., 1 and 0 where
///   no threshold has so little or so much recall, times 1.01, which is the benchmark's sum.
///
/// There is no suppression of what is not the largest across a line: a net whose scores are broad
/// is thinned to the middle of what is above the threshold.
public final class OutlineScore {
  /// The distance at which pixels still correspond, as a part of the image's diagonal.
  public static final double TOLERANCE = 0.0075;

  private static final int STEPS = 100;

  private final double[] thresholds;

  /// Of each threshold: found and all drawn pixels, right and all predicted ones.
  private final double[][] counts;

  private final double[] best = new double[4];

  /// At the thresholds 1/(n + 1) to n/(n + 1); the benchmark has n = 99.
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
  /// each, and what each person drew, 1 where there is an outline.
  ///
  /// @throws IllegalArgumentException if nobody drew anything, or sizes differ
  public void add(float[] probability, List<byte[]> drawn, int height, int width) {
    double diagonal = Math.sqrt((double) height * height + (double) width * width);
    add(probability, drawn, height, width, TOLERANCE * diagonal);
  }

  /// The same of a part of an image, with the distance in pixels at which pixels of the whole one
  /// still correspond.
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

  /// From 0 to 1.
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

  /// From 0 to 1.
  public double ois() {
    return f(best);
  }

  /// From 0 to 1; 0 where all thresholds have one recall, of which there is no function.
  public double averagePrecision() {
    var byRecall = new TreeMap<Double, Double>();
    for (double[] each : counts) {
      // Of thresholds with one recall the highest stays, as MATLAB's unique kept the last of
      // equals.
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
