package fathom.lab.scale;

import fathom.DType;
import fathom.RandomKey;
import fathom.Tensor;

/// Points of ten classes in memory, each of three Gaussian clusters in 64 dimensions.
///
/// @param points one point after the other, 64 numbers each
/// @param labels the class of each point
record Points(double[] points, int[] labels) {
  static final int CLASSES = 10;
  static final int FEATURES = 64;
  private static final int CLUSTERS = 30;

  /// The standard deviation of each coordinate of the clusters' centres, where that of the points
  /// around their centre is 1.
  private static final double DISTANCE = 0.5;

  /// Draws points. The clusters' centres depend on the seed alone, the points also on their
  /// `purpose`.
  static Points of(long seed, String purpose, int count) {
    RandomKey middles = RandomKey.of(seed, "scale middles");
    RandomKey key = RandomKey.of(seed, "scale " + purpose);
    double[] points = new double[count * FEATURES];
    int[] labels = new int[count];
    for (int i = 0; i < count; i++) {
      RandomKey point = key.at(i);
      int cluster = point.below(0, CLUSTERS);
      labels[i] = cluster % CLASSES;
      for (int f = 0; f < FEATURES; f++) {
        points[i * FEATURES + f] =
            DISTANCE * middles.normal((long) cluster * FEATURES + f) + point.normal(f + 1L);
      }
    }
    return new Points(points, labels);
  }

  /// Returns the same points, of which this share has a label drawn anew, from all classes.
  Points noisy(double share, long seed) {
    RandomKey key = RandomKey.of(seed, "scale label noise");
    int[] noisy = labels.clone();
    for (int i = 0; i < noisy.length; i++) {
      if (key.uniform(2L * i) < share) {
        noisy[i] = key.below(2L * i + 1, CLASSES);
      }
    }
    return new Points(points, noisy);
  }

  int count() {
    return labels.length;
  }

  Tensor all(DType type) {
    return Tensor.of(points, count(), FEATURES).to(type);
  }

  /// Returns the points at the indices `from` to `to`, exclusive, of an order.
  Tensor at(int[] order, int from, int to, DType type) {
    double[] batch = new double[(to - from) * FEATURES];
    for (int i = from; i < to; i++) {
      System.arraycopy(points, order[i] * FEATURES, batch, (i - from) * FEATURES, FEATURES);
    }
    return Tensor.of(batch, to - from, FEATURES).to(type);
  }

  int[] labelsAt(int[] order, int from, int to) {
    int[] some = new int[to - from];
    for (int i = from; i < to; i++) {
      some[i - from] = labels[order[i]];
    }
    return some;
  }
}
