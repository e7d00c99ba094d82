package fathom.lab.edges;

import java.util.stream.IntStream;

/// How well a number for each pixel finds the pixels that are 1 in the truth, pixel by pixel and
/// without a tolerance.
final class Detection {
  private Detection() {}

  /// The pixels in the order of falling scores; equal ones keep their order.
  private static int[] falling(double[] scores) {
    return IntStream.range(0, scores.length)
        .boxed()
        .sorted((i, j) -> Double.compare(scores[j], scores[i]))
        .mapToInt(i -> i)
        .toArray();
  }

  /// The probability that a pixel of the truth has a higher score than another (Mann and Whitney's
  /// U over all pairs; ties count by their order). NaN where there are no pairs.
  static double area(double[] scores, byte[] truth) {
    double found = 0;
    double others = 0;
    double pairs = 0;
    for (int p : falling(scores)) {
      if (truth[p] == 1) {
        found++;
      } else {
        others++;
        pairs += found;
      }
    }
    return pairs / (found * others);
  }

  /// The mean precision at each found pixel. NaN where there is nothing to find.
  static double averagePrecision(double[] scores, byte[] truth) {
    double found = 0;
    double seen = 0;
    double sum = 0;
    for (int p : falling(scores)) {
      seen++;
      if (truth[p] == 1) {
        found++;
        sum += found / seen;
      }
    }
    return sum / found;
  }

  /// 2·found / (predicted + true) at this threshold; NaN where both are none.
  static double f(double[] scores, byte[] truth, double threshold) {
    double both = 0;
    double either = 0;
    for (int p = 0; p < scores.length; p++) {
      boolean predicted = scores[p] > threshold;
      both += predicted && truth[p] == 1 ? 1 : 0;
      either += (predicted ? 1 : 0) + truth[p];
    }
    return 2 * both / either;
  }

  /// The share of the true pixels above the threshold.
  static double recall(double[] scores, byte[] truth, double threshold) {
    double both = 0;
    double all = 0;
    for (int p = 0; p < scores.length; p++) {
      both += scores[p] > threshold && truth[p] == 1 ? 1 : 0;
      all += truth[p];
    }
    return both / all;
  }

  /// The share of all pixels above the threshold.
  static double share(double[] scores, double threshold) {
    double above = 0;
    for (double score : scores) {
      above += score > threshold ? 1 : 0;
    }
    return above / scores.length;
  }
}
