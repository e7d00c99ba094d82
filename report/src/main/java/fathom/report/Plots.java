package fathom.report;

import static fathom.report.Html.attr;
import static fathom.report.Html.tag;
import static fathom.report.Html.text;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.SequencedMap;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// Renders the charts of one page as HTML: a caption, the place and the data from which `report.js`
/// draws, a description for screen readers, and the numbers as a table.
final class Plots {
  /// The number of colours in `report.css`. A group beyond them has an earlier group's colour and
  /// other dashes.
  private static final int COLOURS = 7;

  /// The largest number of rows in the table of numbers. More are thinned, because the table is for
  /// reading and the chart has every point.
  private static final int ROWS = 50;

  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  private final Map<String, Integer> groups = new HashMap<>();
  private int figures;

  Plots(Page page) {
    for (Section section : page.sections()) {
      for (Block block : section.blocks()) {
        if (block instanceof Chart chart) {
          chart.curves().forEach(curve -> groups.putIfAbsent(curve.group(), groups.size()));
        }
      }
    }
  }

  Html figure(Chart chart) {
    String id = "chart-" + ++figures;
    List<Html> parts = new ArrayList<>();
    parts.add(attr("id", id));
    parts.add(attr("aria-labelledby", id + "-title"));
    parts.add(
        tag(
            "figcaption",
            tag("h3", attr("id", id + "-title"), text(chart.title())),
            tag("p", text(chart.caption()))));
    if (chart.curves().stream().anyMatch(curve -> !drawn(chart, curve).isEmpty())) {
      String scale = chart.y() == Scale.LOG ? " (log scale)" : "";
      parts.add(tag("p", attr("class", "axis"), text(chart.yLabel() + scale)));
      parts.add(plot(chart));
      parts.add(tag("p", attr("class", "axis x"), text(chart.xLabel())));
      parts.add(
          tag("script", attr("type", "application/json"), new Html.Json(data(chart).toString())));
    } else {
      parts.add(tag("p", attr("class", "empty"), text("None of the values can be drawn.")));
    }
    parts.add(
        tag("details", tag("summary", text("The numbers as a table")), Grid.of(numbers(chart))));
    return tag("figure", parts.stream());
  }

  private static Html plot(Chart chart) {
    return tag(
        "div", attr("class", "plot"), attr("role", "img"), attr("aria-label", description(chart)));
  }

  private static List<Point> drawn(Chart chart, Curve curve) {
    return curve.points().stream().filter(point -> chart.draws(point.y())).toList();
  }

  private ObjectNode data(Chart chart) {
    Map<String, Integer> members = new HashMap<>();
    ArrayNode curves = JSON.arrayNode();
    for (Curve curve : chart.curves()) {
      int group = groups.getOrDefault(curve.group(), 0);
      int member = members.merge(curve.group(), 1, Integer::sum) - 1;
      ObjectNode node = curves.addObject();
      node.put("group", Html.clean(curve.group()));
      node.put("name", Html.clean(curve.name()));
      node.put("colour", group % COLOURS + 1);
      node.put("dash", member + group / COLOURS);
      ArrayNode x = node.putArray("x");
      ArrayNode y = node.putArray("y");
      for (Point point : curve.points()) {
        x.add(point.x());
        if (chart.draws(point.y())) {
          y.add(point.y());
        } else {
          y.addNull();
        }
      }
    }
    ObjectNode data = JSON.objectNode();
    data.put("x", Html.clean(chart.xLabel()));
    data.put("log", chart.y() == Scale.LOG);
    data.set("curves", curves);
    return data;
  }

  /// Returns the chart in words: its axes, and the first and last values of each group.
  private static String description(Chart chart) {
    SequencedMap<String, List<Curve>> members = new LinkedHashMap<>();
    for (Curve curve : chart.curves()) {
      members.computeIfAbsent(curve.group(), g -> new ArrayList<>()).add(curve);
    }
    StringBuilder words =
        new StringBuilder("Line chart: %s by %s".formatted(chart.yLabel(), chart.xLabel()));
    words.append(chart.y() == Scale.LOG ? ", logarithmic scale." : ".");
    members.forEach((group, curves) -> {
      List<List<Point>> drawn =
          curves.stream().map(c -> drawn(chart, c)).filter(d -> !d.isEmpty()).toList();
      words.append(' ').append(group);
      words.append(curves.size() == 1 ? ": " : ", %s curves: ".formatted(curves.size()));
      words.append(
          drawn.isEmpty()
              ? "no values."
              : "begins at %s, ends at %s."
                  .formatted(
                      range(drawn.stream().map(List::getFirst)),
                      range(drawn.stream().map(List::getLast))));
    });
    return words.toString();
  }

  private static String range(Stream<Point> points) {
    List<String> y = points.map(Point::y).sorted().map(Digits::rounded).toList();
    return y.getFirst().equals(y.getLast()) ? y.getFirst() : y.getFirst() + " to " + y.getLast();
  }

  private static Table numbers(Chart chart) {
    SortedMap<Double, Integer> present = new TreeMap<>();
    for (Curve curve : chart.curves()) {
      curve.points().forEach(point -> present.merge(point.x(), 1, Integer::sum));
    }
    List<Double> shown = thinned(present);
    List<String> head = new ArrayList<>(List.of(chart.xLabel()));
    chart.curves().forEach(curve -> head.add(curve.label()));
    String extent =
        shown.size() < present.size()
            ? "%s of %s rows".formatted(shown.size(), present.size())
            : "every row";
    return new Table(
        "%s: %s, to five digits".formatted(chart.title(), extent),
        head,
        shown.stream().map(x -> numbers(chart, x)).toList());
  }

  private static List<String> numbers(Chart chart, double x) {
    List<String> row = new ArrayList<>(List.of(Digits.exact(x)));
    for (Curve curve : chart.curves()) {
      OptionalDouble y = curve.at(x);
      row.add(y.isPresent() ? Digits.rounded(y.getAsDouble()) : "");
    }
    return row;
  }

  /// Returns the x of the rows that are kept: both ends, and from equal stretches between them the
  /// first x at which most curves have a value.
  private static List<Double> thinned(SortedMap<Double, Integer> present) {
    List<Double> all = List.copyOf(present.keySet());
    if (all.size() <= ROWS) {
      return all;
    }
    List<Double> kept = new ArrayList<>(List.of(all.getFirst()));
    int inner = all.size() - 2;
    for (int k = 0; k < ROWS - 2; k++) {
      int from = 1 + (int) ((long) inner * k / (ROWS - 2));
      int to = 1 + (int) ((long) inner * (k + 1) / (ROWS - 2));
      double best = all.get(from);
      for (double x : all.subList(from, to)) {
        best = present.getOrDefault(x, 0) > present.getOrDefault(best, 0) ? x : best;
      }
      kept.add(best);
    }
    kept.add(all.getLast());
    return kept;
  }
}
