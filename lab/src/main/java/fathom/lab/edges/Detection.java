package fathom.lab.edges;

import java.util.stream.IntStream;

/// Measures how well a score for each pixel finds the pixels that are 1 in the truth, pixel by
/// pixel and without a tolerance in position.
final class Detection {
  private Detection() {}

  /// Returns the pixels in the order of falling scores; pixels of equal scores keep their order.
  private static int[] falling(double[] scores) {
    return IntStream.range(0, scores.length)
        .boxed()
        .sorted((i, j) -> Double.compare(scores[j], scores[i]))
        .mapToInt(i -> i)
        .toArray();
  }

  /// Returns the probability that a pixel of the truth has a higher score than another pixel (Mann
  /// and Whitney's U over all pairs; ties count by their order). It is NaN where there are no
  /// pairs.
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

  /// Returns the average precision: the mean precision at each found pixel. It is NaN where there
  /// is nothing to find.
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

  /// Returns F = 2·found / (predicted + true) at this threshold; NaN where neither has a pixel.
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

  /// Returns the share of the true pixels with scores above the threshold.
  static double recall(double[] scores, byte[] truth, double threshold) {
    double both = 0;
    double all = 0;
    for (int p = 0; p < scores.length; p++) {
      both += scores[p] > threshold && truth[p] == 1 ? 1 : 0;
      all += truth[p];
    }
    return both / all;
  }

  /// Returns the share of all pixels with scores above the threshold.
  static double share(double[] scores, double threshold) {
    double above = 0;
    for (double score : scores) {
      above += score > threshold ? 1 : 0;
    }
    return above / scores.length;
  }
}
