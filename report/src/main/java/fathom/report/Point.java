package fathom.report;

/// One value of a [Curve]. A `y` that is NaN or infinite leaves a gap in the line.
///
/// @param x the place on the x axis
/// @param y the value there
public record Point(double x, double y) {
  /// Replaces an `x` of -0.0 by 0.0.
  public Point {
    x += 0.0; // -0.0 and 0.0 are the same place
  }
}
