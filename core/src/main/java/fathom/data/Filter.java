package fathom.data;

/// The filter by which an image is scaled, as in Pillow's `resize`: it is stretched by the scale
/// where the image becomes smaller (antialiasing), and its weights are divided by their sum.
public enum Filter {
  /// A triangle: 1 − |x| for |x| below 1.
  BILINEAR(1) {
    @Override
    double weight(double x) {
      return Math.max(0, 1 - Math.abs(x));
    }
  },
  /// Two cubic pieces with a = −½ (Keys 1981, equation 4); its weights may be negative.
  BICUBIC(2) {
    @Override
    double weight(double x) {
      double d = Math.abs(x);
      if (d < 1) {
        return ((A + 2) * d - (A + 3)) * d * d + 1;
      }
      return d < 2 ? (((d - 5) * d + 8) * d - 4) * A : 0;
    }
  };

  private static final double A = -0.5;

  private final int support;

  Filter(int support) {
    this.support = support;
  }

  /// The distance in pixels from which on pixels do not count.
  int support() {
    return support;
  }

  /// Returns the weight of a pixel at this distance.
  abstract double weight(double x);
}
