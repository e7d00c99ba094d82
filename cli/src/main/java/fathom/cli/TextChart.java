package fathom.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// A curve in characters, for a terminal: a few lines that show its form.
final class TextChart {
  private static final int ROWS = 10;
  private static final int COLUMNS = 64;

  private TextChart() {}

  /// Returns the lines of a chart of y over rising x. Points that are not finite are left out, and
  /// y above three times the spread of the lower half is cut off, so that a curve that blows up at
  /// its end shows what was before.
  static List<String> lines(double[] x, double[] y, String yLabel, String xLabel) {
    double[] finite = Arrays.stream(y).filter(Double::isFinite).sorted().toArray();
    var lines = new ArrayList<String>();
    if (finite.length < 2) {
      return lines;
    }
    double low = finite[0];
    double middle = finite[finite.length / 2];
    double high = Math.min(finite[finite.length - 1], low + 3 * Math.max(middle - low, 1e-12));
    double left = x[0];
    double right = Math.max(x[x.length - 1], left + 1e-12);
    char[][] cells = new char[ROWS][COLUMNS];
    Arrays.stream(cells).forEach(row -> Arrays.fill(row, ' '));
    for (int i = 0; i < x.length; i++) {
      if (Double.isFinite(y[i])) {
        double share = Math.clamp((high - y[i]) / Math.max(high - low, 1e-12), 0.0, 1.0);
        int row = (int) Math.round(share * (ROWS - 1));
        int column = (int) Math.round((x[i] - left) / (right - left) * (COLUMNS - 1));
        cells[row][column] = '*';
      }
    }
    lines.add(yLabel);
    for (int row = 0; row < ROWS; row++) {
      double at = high - (high - low) * row / (ROWS - 1);
      lines.add(
          String.format(Locale.ROOT, "%10.4g |%s", at, new String(cells[row])).stripTrailing());
    }
    lines.add(" ".repeat(11) + "+" + "-".repeat(COLUMNS));
    String ends = String.format(Locale.ROOT, "%.1f", right);
    lines.add(
        " ".repeat(12)
            + String.format(
                Locale.ROOT,
                "%-" + (COLUMNS - ends.length()) + "s",
                String.format(Locale.ROOT, "%.1f  %s", left, xLabel))
            + ends);
    return lines;
  }
}
