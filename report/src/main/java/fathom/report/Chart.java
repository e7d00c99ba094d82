package fathom.report;

import java.util.List;

/// Curves over one x axis. Charts that follow each other in a section stand side by side where
/// there is room, and share the cursor if their x labels are equal.
///
/// @param title what the chart shows
/// @param caption what to see in it; may be empty
/// @param xLabel quantity and unit of x
/// @param yLabel quantity and unit of y
/// @param y how the y axis is divided
public record Chart(
    String title, String caption, String xLabel, String yLabel, Scale y, List<Curve> curves)
    implements Block {
  public Chart {
    curves = List.copyOf(curves);
  }

  /// Whether the value has a place on the chart: if not, it is a gap.
  boolean draws(double value) {
    return Double.isFinite(value) && (y == Scale.LINEAR || value > 0);
  }
}
