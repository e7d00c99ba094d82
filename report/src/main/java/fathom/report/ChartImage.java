package fathom.report;

import static fathom.report.Html.attr;
import static fathom.report.Html.tag;
import static fathom.report.Html.text;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Draws a [Chart] as an SVG image for a document, which needs neither script nor page. The curves
/// of one group share a colour and a line of the legend. The same chart always gives the same
/// bytes.
public final class ChartImage {
  /// The report's colours on white, because a document may have a background of any colour.
  private static final List<String> COLOURS =
      List.of("#00599a", "#c8500a", "#1b9a6c", "#d062a8", "#5f3f00", "#3f8fc4", "#20262b");

  private static final String INK = "#1c2429";
  private static final String RULE = "#dfe2df";
  private static final int WIDTH = 720;
  private static final int HEIGHT = 320;
  private static final int LEFT = 78;
  private static final int TOP = 44;
  private static final int RIGHT = 20;
  private static final int LINE = 18;

  private final Chart chart;
  private final List<String> groups;
  private final Axis x;
  private final Axis y;

  private ChartImage(Chart chart) {
    this.chart = chart;
    this.groups = chart.curves().stream().map(Curve::group).distinct().toList();
    this.x = Axis.of(drawn().mapToDouble(Point::x).toArray(), Scale.LINEAR);
    this.y = Axis.of(drawn().mapToDouble(Point::y).toArray(), chart.y());
  }

  /// Returns the chart as the text of an SVG file.
  public static String svg(Chart chart) {
    var out = new StringBuilder();
    new ChartImage(chart).image().print(out);
    return out.toString().strip() + "\n";
  }

  private Stream<Point> drawn() {
    return chart.curves().stream()
        .flatMap(curve -> curve.points().stream())
        .filter(point -> chart.draws(point.y()));
  }

  /// An axis from `low` to `high`, which lie a little beyond the smallest and the largest drawn
  /// value. On a logarithmic scale both are logarithms to base 10.
  private record Axis(double low, double high, boolean log) {
    static Axis of(double[] values, Scale scale) {
      boolean log = scale == Scale.LOG;
      double low = Double.POSITIVE_INFINITY;
      double high = Double.NEGATIVE_INFINITY;
      for (double value : values) {
        double place = log ? Math.log10(value) : value;
        low = Math.min(low, place);
        high = Math.max(high, place);
      }
      if (!(low <= high)) {
        return new Axis(0, 1, log);
      }
      double alone = log ? 0.3 : Math.max(Math.abs(low), 1) * 0.05;
      double margin = high > low ? (high - low) * 0.03 : alone;
      return new Axis(low - margin, high + margin, log);
    }

    double part(double value) {
      return ((log ? Math.log10(value) : value) - low) / (high - low);
    }

    /// Returns round values between both ends. A logarithmic axis has powers of ten, or 1, 2 and 5
    /// times powers of ten where fewer than two powers of ten fit.
    List<Double> ticks() {
      return log ? powers() : steps();
    }

    private List<Double> powers() {
      var ticks = new ArrayList<Double>();
      int decades = Math.max(1, (int) Math.ceil((high - low) / 8));
      for (int e = (int) Math.ceil(low); e <= high; e++) {
        if (Math.floorMod(e, decades) == 0) {
          ticks.add(Math.pow(10, e));
        }
      }
      if (ticks.size() < 2) {
        ticks.clear();
        for (int e = (int) Math.floor(low); e <= high; e++) {
          for (int m : new int[] {1, 2, 5}) {
            double value = m * Math.pow(10, e);
            if (Math.log10(value) >= low && Math.log10(value) <= high) {
              ticks.add(value);
            }
          }
        }
      }
      return ticks;
    }

    private List<Double> steps() {
      var ticks = new ArrayList<Double>();
      double raw = (high - low) / 6;
      double power = Math.pow(10, Math.floor(Math.log10(raw)));
      double step =
          power * (raw / power < 1.5 ? 1 : raw / power < 3.5 ? 2 : raw / power < 7.5 ? 5 : 10);
      for (double k = Math.ceil(low / step); k * step <= high; k++) {
        ticks.add(k * step);
      }
      return ticks;
    }
  }

  private double across(double value) {
    return LEFT + x.part(value) * (WIDTH - LEFT - RIGHT);
  }

  private double down(double value) {
    return TOP + (1 - y.part(value)) * (HEIGHT - TOP);
  }

  private Html image() {
    int height = HEIGHT + 52 + LINE * groups.size();
    List<Html> parts = new ArrayList<>();
    parts.add(attr("xmlns", "http://www.w3.org/2000/svg"));
    parts.add(attr("viewBox", "0 0 %s %s".formatted(WIDTH, height)));
    parts.add(attr("width", Integer.toString(WIDTH)));
    parts.add(attr("height", Integer.toString(height)));
    parts.add(attr("font-family", "sans-serif"));
    parts.add(attr("font-size", "13"));
    parts.add(attr("fill", INK));
    parts.add(tag("title", text(chart.title())));
    parts.add(tag("rect", attr("width", "100%"), attr("height", "100%"), attr("fill", "#ffffff")));
    parts.add(words(chart.title(), LEFT, 18, "start", attr("font-weight", "bold")));
    String log = y.log ? " (log scale)" : "";
    parts.add(words(chart.yLabel() + log, LEFT, 36, "start"));
    parts.add(words(chart.xLabel(), WIDTH - RIGHT, HEIGHT + 36, "end"));
    for (double tick : y.ticks()) {
      parts.add(line(LEFT, down(tick), WIDTH - RIGHT, down(tick)));
      parts.add(words(label(tick), LEFT - 6, down(tick) + 4, "end"));
    }
    for (double tick : x.ticks()) {
      parts.add(line(across(tick), HEIGHT, across(tick), HEIGHT + 4));
      parts.add(words(label(tick), across(tick), HEIGHT + 18, "middle"));
    }
    parts.add(line(LEFT, HEIGHT, WIDTH - RIGHT, HEIGHT));
    for (Curve curve : chart.curves()) {
      parts.addAll(strokes(curve));
    }
    for (int i = 0; i < groups.size(); i++) {
      double at = HEIGHT + 44 + LINE * i;
      parts.add(
          tag(
              "rect",
              attr("x", Integer.toString(LEFT)),
              attr("y", number(at)),
              attr("width", "22"),
              attr("height", "3"),
              attr("fill", colour(groups.get(i)))));
      parts.add(words(legend(groups.get(i)), LEFT + 30, at + 6, "start"));
    }
    return tag("svg", parts.stream());
  }

  private String legend(String group) {
    long curves = chart.curves().stream().filter(c -> c.group().equals(group)).count();
    return curves == 1 ? group : "%s (%s curves)".formatted(group, curves);
  }

  /// Returns a line for each stretch of points that can be drawn, and a dot for a point that stands
  /// alone.
  private List<Html> strokes(Curve curve) {
    var strokes = new ArrayList<Html>();
    var stretch = new ArrayList<Point>();
    for (Point point : curve.points()) {
      if (chart.draws(point.y())) {
        stretch.add(point);
      } else {
        stroke(curve, stretch, strokes);
        stretch.clear();
      }
    }
    stroke(curve, stretch, strokes);
    return strokes;
  }

  private void stroke(Curve curve, List<Point> stretch, List<Html> strokes) {
    if (stretch.size() == 1) {
      Point point = stretch.getFirst();
      strokes.add(
          tag(
              "circle",
              attr("cx", number(across(point.x()))),
              attr("cy", number(down(point.y()))),
              attr("r", "2.5"),
              attr("fill", colour(curve.group()))));
    } else if (stretch.size() > 1) {
      strokes.add(
          tag(
              "polyline",
              attr(
                  "points",
                  stretch.stream()
                      .map(p -> number(across(p.x())) + "," + number(down(p.y())))
                      .collect(Collectors.joining(" "))),
              attr("fill", "none"),
              attr("stroke", colour(curve.group())),
              attr("stroke-width", "1.6"),
              attr("stroke-opacity", "0.8")));
    }
  }

  private String colour(String group) {
    return COLOURS.get(groups.indexOf(group) % COLOURS.size());
  }

  private static Html line(double x1, double y1, double x2, double y2) {
    return tag(
        "line",
        attr("x1", number(x1)),
        attr("y1", number(y1)),
        attr("x2", number(x2)),
        attr("y2", number(y2)),
        attr("stroke", RULE));
  }

  private static Html words(String words, double x, double y, String anchor, Html... more) {
    return tag(
        "text",
        Stream.concat(
            Stream.of(
                attr("x", number(x)),
                attr("y", number(y)),
                attr("text-anchor", anchor),
                text(words)),
            Stream.of(more)));
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.1f", value);
  }

  /// Formats a tick with at most five digits, because multiples of a round step such as 0.1 need
  /// not be round in binary. From 10⁵ on, and below 10⁻⁴, it is written with a power of ten, such
  /// as 10⁸ or 2·10⁵, because the number in full would not fit beside its axis.
  private static String label(double value) {
    BigDecimal rounded = new BigDecimal(value).round(new MathContext(5));
    int exponent = rounded.precision() - rounded.scale() - 1;
    if (rounded.signum() == 0 || (exponent >= -4 && exponent < 5)) {
      return Digits.rounded(rounded.doubleValue());
    }
    String digits = rounded.movePointLeft(exponent).stripTrailingZeros().toPlainString();
    String power = "10" + raised(exponent);
    return switch (digits) {
      case "1" -> power;
      case "-1" -> "-" + power;
      default -> digits + "·" + power;
    };
  }

  private static String raised(int exponent) {
    return Integer.toString(exponent)
        .chars()
        .mapToObj(c -> c == '-' ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹".substring(c - '0', c - '0' + 1))
        .collect(Collectors.joining());
  }
}
