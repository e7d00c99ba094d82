package fathom.report;

import java.util.List;

/// Curves over one x axis. Consecutive charts of a section stand side by side where there is room,
/// and share the cursor if their x labels are equal.
///
/// @param title what the chart shows
/// @param caption what to look for in the chart; may be empty
/// @param xLabel quantity and unit of x
/// @param yLabel quantity and unit of y
/// @param y the scale of the y axis
/// @param curves the curves, each with a group that decides its colour
public record Chart(
    String title, String caption, String xLabel, String yLabel, Scale y, List<Curve> curves)
    implements Block {
  /// Copies the list of curves.
  public Chart {
    curves = List.copyOf(curves);
  }

  /// Returns whether the value can be drawn: it is finite and, on a logarithmic scale, positive. A
  /// value that cannot be drawn leaves a gap in its curve.
  boolean draws(double value) {
    return Double.isFinite(value) && (y == Scale.LINEAR || value > 0);
  }
}
