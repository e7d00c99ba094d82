package fathom.report;

import static fathom.report.Html.attr;
import static fathom.report.Html.tag;
import static fathom.report.Html.text;

import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Renders a [Matrix] as HTML.
final class Cells {
  /// The shares of a row from which a cell gets the next stronger shade.
  private static final double[] SHADES = {0.01, 0.03, 0.1, 0.3};

  private final Matrix matrix;

  private Cells(Matrix matrix) {
    this.matrix = matrix;
  }

  static Html of(Matrix matrix) {
    return new Cells(matrix).frame();
  }

  private Html frame() {
    return Grid.frame(
        matrix.caption(),
        tag(
            "table",
            attr("class", "matrix"),
            tag("caption", text(matrix.caption())),
            tag("thead", head()),
            tag("tbody", IntStream.range(0, matrix.names().size()).mapToObj(this::row))));
  }

  private Html head() {
    return tag(
        "tr",
        Stream.concat(
            Stream.of(
                tag(
                    "th",
                    attr("scope", "col"),
                    tag("span", attr("class", "spoken"), text("true class")))),
            matrix.names().stream()
                .map(name ->
                    tag(
                        "th",
                        attr("scope", "col"),
                        tag("span", attr("class", "turned"), text(name))))));
  }

  private Html row(int row) {
    List<Long> counts = matrix.counts().get(row);
    long all = counts.stream().mapToLong(Long::longValue).sum();
    return tag(
        "tr",
        Stream.concat(
            Stream.of(tag("th", attr("scope", "row"), text(matrix.names().get(row)))),
            IntStream.range(0, counts.size())
                .mapToObj(column -> cell(row, column, counts.get(column), all))));
  }

  /// A pair that did not occur has an empty cell.
  private Html cell(int row, int column, long count, long all) {
    if (count == 0) {
      return tag("td", attr("class", row == column ? "right" : "none"));
    }
    String share = row == column ? "right" : "shade" + shade((double) count / all);
    return tag("td", attr("class", share), text(Long.toString(count)));
  }

  private static int shade(double share) {
    int shade = 1;
    for (double least : SHADES) {
      shade += share >= least ? 1 : 0;
    }
    return shade;
  }
}
