package fathom.data;

import fathom.RandomKey;
import org.jspecify.annotations.Nullable;

/// A rectangle of whole pixels inside an image.
///
/// @param top the first row
/// @param left the first column
/// @param height the number of rows
/// @param width the number of columns
public record Patch(int top, int left, int height, int width) {
  private static final int ATTEMPTS = 10;
  private static final double LEAST_AREA = 0.02;
  private static final double MOST_AREA = 0.33;
  private static final double WIDEST = 3.3;
  private static final double NARROWEST = 0.3;

  /// The number of pixels.
  int area() {
    return height * width;
  }

  /// Returns the patch that random erasing fills (Zhong et al. 2017, arXiv 1708.04896), with
  /// torchvision's ranges: 2 to 33 % of the area and a height of 0.3 to 3.3 times the width,
  /// uniform on a logarithmic scale, both before they are rounded to whole pixels. Null if
  /// `key.uniform(0)` is not below `probability`, or if ten attempts give no patch that is smaller
  /// than the image in both directions.
  ///
  /// Attempt t takes its area from `key.uniform(2t+1)` and its proportions from
  /// `key.uniform(2t+2)`; row and column are `below(0, ...)` and `below(1, ...)` of `key.at(0)`.
  static @Nullable Patch erased(double probability, int height, int width, RandomKey key) {
    if (key.uniform(0) >= probability) {
      return null;
    }
    double narrow = StrictMath.log(NARROWEST);
    double wide = StrictMath.log(WIDEST);
    for (int t = 0; t < ATTEMPTS; t++) {
      double share = LEAST_AREA + (MOST_AREA - LEAST_AREA) * key.uniform(2 * t + 1);
      double area = (double) height * width * share;
      double proportions = StrictMath.exp(narrow + (wide - narrow) * key.uniform(2 * t + 2));
      int down = (int) Math.round(Math.sqrt(area * proportions));
      int across = (int) Math.round(Math.sqrt(area / proportions));
      if (down >= 1 && down < height && across >= 1 && across < width) {
        RandomKey place = key.at(0);
        return new Patch(
            place.below(0, height - down + 1), place.below(1, width - across + 1), down, across);
      }
    }
    return null;
  }

  /// Returns the patch around a centre that CutMix replaces (Yun et al. 2019, arXiv 1905.04899,
  /// appendix A): √(1−λ) of the sides, clipped to the image. It may have no pixels.
  static Patch cut(double lambda, int height, int width, int y, int x) {
    double ratio = Math.sqrt(1 - lambda);
    int halfHeight = (int) (height * ratio) / 2;
    int halfWidth = (int) (width * ratio) / 2;
    int top = Math.max(0, y - halfHeight);
    int left = Math.max(0, x - halfWidth);
    return new Patch(
        top, left, Math.min(height, y + halfHeight) - top, Math.min(width, x + halfWidth) - left);
  }
}
