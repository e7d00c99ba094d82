package fathom.lab.experiment;

import fathom.RandomKey;
import fathom.Tensor;
import fathom.data.DataSet;
import fathom.data.Images;

/// Points with a class each, in memory.
///
/// @param points `count·features` numbers, one point after the other
/// @param labels the class of each point
/// @param features the numbers of a point
record Mixture(float[] points, int[] labels, int features) {
  private static final int CLUSTERS = 30;
  static final int CLASSES = 10;
  private static final int FEATURES = 196;

  /// The standard deviation of each coordinate of the clusters' centres, where that of the points
  /// around their centre is 1. It is small enough that no single direction separates the classes.
  private static final double DISTANCE = 0.35;

  /// Draws points of ten classes, of three Gaussian clusters each, in 196 dimensions. The centres
  /// depend on the seed alone, the points also on their `purpose`.
  static Mixture of(long seed, String purpose, int count) {
    RandomKey middles = RandomKey.of(seed, "mixture middles");
    RandomKey key = RandomKey.of(seed, "mixture " + purpose);
    float[] points = new float[count * FEATURES];
    int[] labels = new int[count];
    for (int i = 0; i < count; i++) {
      RandomKey point = key.at(i);
      int cluster = point.below(0, CLUSTERS);
      labels[i] = cluster % CLASSES;
      for (int f = 0; f < FEATURES; f++) {
        points[i * FEATURES + f] =
            (float)
                (DISTANCE * middles.normal((long) cluster * FEATURES + f) + point.normal(f + 1L));
      }
    }
    return new Mixture(points, labels, FEATURES);
  }

  /// Returns the embedded digits, with pixels from -1 to 1: the training images or the test images.
  static Mixture digits(boolean train) {
    DataSet digits = DataSet.open("digits");
    return of((train ? digits.train() : digits.test()).images());
  }

  /// Returns images as points, with pixels from -1 to 1.
  static Mixture of(Images images) {
    float[] points = new float[images.count() * images.size()];
    for (int i = 0; i < points.length; i++) {
      points[i] = (images.pixels()[i] & 0xff) / 127.5f - 1;
    }
    return new Mixture(points, images.labels(), images.size());
  }

  int count() {
    return labels.length;
  }

  /// Returns the points at the indices `from` to `to`, exclusive, of an order.
  Tensor at(int[] order, int from, int to) {
    float[] batch = new float[(to - from) * features];
    for (int i = from; i < to; i++) {
      System.arraycopy(points, order[i] * features, batch, (i - from) * features, features);
    }
    return Tensor.of(batch, to - from, features);
  }

  int[] labelsAt(int[] order, int from, int to) {
    int[] some = new int[to - from];
    for (int i = from; i < to; i++) {
      some[i - from] = labels[order[i]];
    }
    return some;
  }

  Tensor all() {
    return Tensor.of(points, count(), features);
  }
}
