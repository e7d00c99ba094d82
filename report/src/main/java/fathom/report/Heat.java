package fathom.report;

import static fathom.report.Html.attr;
import static fathom.report.Html.tag;
import static fathom.report.Html.text;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/// Renders a [HeatMap] as HTML: an image that needs no script, its legend, and the numbers as a
/// table.
final class Heat {
  /// The colours from small to large values: dark blue, violet, red, orange, yellow. Lightness
  /// rises throughout, so that the map can be read without colours too.
  private static final int[] COLOURS = {0x14104a, 0x6a1b82, 0xbb3754, 0xf37819, 0xfcf6a5};

  /// The largest number of columns in the table of numbers; more are thinned. The image has every
  /// one.
  private static final int COLUMNS = 12;

  private static final int ROW_HEIGHT = 14;
  private static final int LARGEST = 420;

  private final HeatMap map;
  private final double least;
  private final double most;

  private Heat(HeatMap map) {
    this.map = map;
    var drawn =
        map.values().stream()
            .flatMap(List::stream)
            .filter(Heat::draws)
            .mapToDouble(Double::doubleValue)
            .summaryStatistics();
    this.least = drawn.getMin();
    this.most = drawn.getMax();
  }

  static Html of(HeatMap map) {
    return new Heat(map).figure();
  }

  private static boolean draws(double value) {
    return Double.isFinite(value) && value > 0;
  }

  private Html figure() {
    List<Html> parts = new ArrayList<>();
    parts.add(tag("figcaption", tag("h3", text(map.title())), tag("p", text(map.caption()))));
    if (least <= most) {
      String range = "%s to %s".formatted(Digits.rounded(least), Digits.rounded(most));
      parts.add(tag("p", attr("class", "heat"), text(map.yLabel() + ", from the first down")));
      parts.add(image(range));
      parts.add(tag("p", attr("class", "heat"), text(map.xLabel())));
      parts.add(
          tag(
              "p",
              attr("class", "heat"),
              text("%s, dark to bright: %s (log scale)".formatted(map.unit(), range))));
    } else {
      parts.add(tag("p", attr("class", "empty"), text("None of the values can be drawn.")));
    }
    parts.add(tag("details", tag("summary", text("The numbers as a table")), Grid.of(numbers())));
    return tag("figure", parts.stream());
  }

  private Html image(String range) {
    int rows = map.rows().size();
    int columns = map.columns().size();
    List<Html> parts = new ArrayList<>();
    parts.add(attr("viewBox", "0 0 %s %s".formatted(columns, rows)));
    parts.add(attr("preserveAspectRatio", "none"));
    parts.add(attr("width", "100%"));
    int height = rows == columns ? LARGEST : ROW_HEIGHT * rows; // a plane is about square
    parts.add(attr("height", Integer.toString(Math.min(LARGEST, height))));
    parts.add(attr("shape-rendering", "crispEdges"));
    parts.add(attr("role", "img"));
    parts.add(
        attr(
            "aria-label",
            "Heat map of %s: %s rows (%s) by %s columns (%s), values from %s."
                .formatted(map.unit(), rows, map.yLabel(), columns, map.xLabel(), range)));
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < columns; c++) {
        double value = map.values().get(r).get(c);
        if (draws(value)) {
          parts.add(cell(r, c, value));
        }
      }
    }
    return tag("svg", parts.stream());
  }

  private Html cell(int row, int column, double value) {
    return tag(
        "rect",
        attr("x", Integer.toString(column)),
        attr("y", Integer.toString(row)),
        attr("width", "1"),
        attr("height", "1"),
        attr("fill", colour(value)),
        tag(
            "title",
            text(
                "%s, %s %s: %s"
                    .formatted(
                        map.rows().get(row),
                        map.xLabel(),
                        map.columns().get(column),
                        Digits.rounded(value)))));
  }

  private String colour(double value) {
    double part = most > least ? Math.log(value / least) / Math.log(most / least) : 1;
    double place = Math.clamp(part, 0, 1) * (COLOURS.length - 1);
    int i = Math.min((int) place, COLOURS.length - 2);
    return "#%02x%02x%02x"
        .formatted(mixed(i, place - i, 16), mixed(i, place - i, 8), mixed(i, place - i, 0));
  }

  private static int mixed(int i, double part, int shift) {
    int from = COLOURS[i] >> shift & 0xff;
    int to = COLOURS[i + 1] >> shift & 0xff;
    return (int) Math.round(from + (to - from) * part);
  }

  private Table numbers() {
    int columns = map.columns().size();
    int shown = Math.min(columns, COLUMNS);
    int[] kept =
        IntStream.range(0, shown)
            .map(k -> shown < 2 ? 0 : k * (columns - 1) / (shown - 1))
            .toArray();
    List<String> head = new ArrayList<>(List.of(map.yLabel()));
    for (int c : kept) {
      head.add(map.xLabel() + " " + map.columns().get(c));
    }
    List<List<String>> rows = new ArrayList<>();
    for (int r = 0; r < map.rows().size(); r++) {
      List<String> row = new ArrayList<>(List.of(map.rows().get(r)));
      for (int c : kept) {
        double value = map.values().get(r).get(c);
        row.add(Double.isNaN(value) ? "" : Digits.rounded(value));
      }
      rows.add(row);
    }
    return new Table(
        "%s: %s"
            .formatted(
                map.title(),
                shown < columns ? "%s of %s columns".formatted(shown, columns) : "every column"),
        head,
        rows);
  }
}
