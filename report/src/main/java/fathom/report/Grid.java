package fathom.report;

import static fathom.report.Html.attr;
import static fathom.report.Html.tag;
import static fathom.report.Html.text;

import java.util.List;
import java.util.function.IntFunction;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Renders a [Table] as HTML.
final class Grid {
  /// A cell that begins with a number, such as `0.07`, `-3 %`, `8.1 ± 0.2` or `1.5e-9`.
  private static final Pattern NUMBER = Pattern.compile("[-+\u2212]?\\.?\\d.*|NaN|-?Infinity|–");

  private final boolean[] flushRight;

  private Grid(Table table) {
    flushRight = new boolean[table.head().size()];
    for (int c = 0; c < flushRight.length; c++) {
      int column = c;
      flushRight[c] =
          table.rows().stream()
              .map(row -> row.get(column))
              .allMatch(cell -> cell.isEmpty() || NUMBER.matcher(cell).matches());
    }
  }

  static Html of(Table table) {
    Grid grid = new Grid(table);
    return frame(
        table.caption(),
        tag(
            "table",
            tag("caption", text(table.caption())),
            tag("thead", grid.row(table.head(), c -> "col")),
            tag(
                "tbody",
                table.rows().stream().map(row -> grid.row(row, c -> c == 0 ? "row" : "")))));
  }

  /// Puts a table into a frame in which a wide table scrolls, by touch and by the arrow keys.
  static Html frame(String caption, Html table) {
    return tag(
        "div",
        attr("class", "frame"),
        attr("role", "group"),
        attr("tabindex", "0"),
        attr("aria-label", caption),
        table);
  }

  /// Returns a row; the cells with a scope are headings.
  private Html row(List<String> cells, IntFunction<String> scope) {
    return tag(
        "tr",
        IntStream.range(0, cells.size()).mapToObj(c -> cell(c, cells.get(c), scope.apply(c))));
  }

  private Html cell(int column, String words, String scope) {
    Stream.Builder<Html> parts = Stream.builder();
    if (!scope.isEmpty()) {
      parts.add(attr("scope", scope));
    }
    if (flushRight[column]) {
      parts.add(attr("class", "number"));
    }
    return tag(scope.isEmpty() ? "td" : "th", parts.add(text(words)).build());
  }
}
