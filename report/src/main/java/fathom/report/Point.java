package fathom.report;

/// One value of a [Curve]. A `y` that is NaN or infinite is a gap in the line.
public record Point(double x, double y) {
  public Point {
    x += 0.0; // -0.0 and 0.0 are one place
  }
}
