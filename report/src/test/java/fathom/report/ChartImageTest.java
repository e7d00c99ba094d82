package fathom.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

class ChartImageTest {
  private static Chart chart(Scale scale, Curve... curves) {
    return new Chart("Error & <loss>", "", "step", "error in %", scale, List.of(curves));
  }

  private static Curve curve(String group, double... y) {
    double[] x = new double[y.length];
    for (int i = 0; i < x.length; i++) {
      x[i] = 10.0 * i;
    }
    return Curve.of(group, "seed 1", x, y);
  }

  /// The elements of this name of an image that a parser of XML takes.
  private static List<Element> elements(String svg, String name) throws Exception {
    Document document =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(new ByteArrayInputStream(svg.getBytes(StandardCharsets.UTF_8)));
    var found = document.getElementsByTagName(name);
    var elements = new ArrayList<Element>();
    for (int i = 0; i < found.getLength(); i++) {
      elements.add((Element) found.item(i));
    }
    return elements;
  }

  private static double[][] points(Element line) {
    String[] pairs = line.getAttribute("points").split(" ", -1);
    double[][] points = new double[pairs.length][];
    for (int i = 0; i < pairs.length; i++) {
      String[] xy = pairs[i].split(",", -1);
      points[i] = new double[] {Double.parseDouble(xy[0]), Double.parseDouble(xy[1])};
    }
    return points;
  }

  @Test
  void equalStepsAreEqualLengthsAndUpIsMore() throws Exception {
    String svg = ChartImage.svg(chart(Scale.LINEAR, curve("a", 1, 2, 3), curve("b", 0, 4, 0)));
    var lines = elements(svg, "polyline");
    assertEquals(2, lines.size());
    double[][] a = points(lines.getFirst());
    double[][] b = points(lines.getLast());
    assertEquals(a[1][0] - a[0][0], a[2][0] - a[1][0], 0.11);
    assertEquals(a[0][1] - a[1][1], a[1][1] - a[2][1], 0.11);
    assertTrue(a[0][1] > a[2][1], "y is counted down");
    assertEquals(b[0][1] - b[1][1], 2 * (a[0][1] - a[2][1]), 0.21);
    assertFalse(
        lines.getFirst().getAttribute("stroke").equals(lines.getLast().getAttribute("stroke")));
    assertEquals("Error & <loss>", elements(svg, "title").getFirst().getTextContent());
  }

  @Test
  void onALogarithmicScaleEqualRatiosAreEqualLengths() throws Exception {
    String svg = ChartImage.svg(chart(Scale.LOG, curve("a", 0.01, 1, 100)));
    double[][] a = points(elements(svg, "polyline").getFirst());
    assertEquals(a[0][1] - a[1][1], a[1][1] - a[2][1], 0.11);
    assertTrue(texts(svg).containsAll(List.of("0.01", "0.1", "1", "10", "100")), svg);
    assertTrue(texts(svg).contains("error in % (log scale)"), svg);
  }

  @Test
  void longNumbersArePowersOfTenThatFitBesideTheirAxis() throws Exception {
    var powers = texts(ChartImage.svg(chart(Scale.LOG, curve("a", 1e-6, 1, 1e8))));
    assertTrue(powers.containsAll(List.of("10⁻⁶", "0.0001", "100", "10⁸")), "" + powers);
    var steps = texts(ChartImage.svg(chart(Scale.LINEAR, curve("a", -250_000, 0, 1_250_000))));
    assertTrue(steps.containsAll(List.of("-2·10⁵", "0", "10⁶", "1.2·10⁶")), "" + steps);
    var tiny = texts(ChartImage.svg(chart(Scale.LINEAR, curve("a", 0, 3e-14))));
    assertTrue(tiny.containsAll(List.of("0", "5·10⁻¹⁵", "3·10⁻¹⁴")), "" + tiny);
    var whole = texts(ChartImage.svg(chart(Scale.LINEAR, curve("a", 0, 60_000))));
    assertTrue(whole.containsAll(List.of("10000", "60000")), "" + whole);
  }

  private static List<String> texts(String svg) throws Exception {
    return elements(svg, "text").stream().map(Element::getTextContent).toList();
  }

  @Test
  void whatHasNoPlaceIsAGapAndAPointAloneADot() throws Exception {
    String svg = ChartImage.svg(chart(Scale.LOG, curve("a", 1, 2, 0, 3, Double.NaN, 4, 5)));
    assertEquals(2, elements(svg, "polyline").size());
    assertEquals(1, elements(svg, "circle").size());
    assertFalse(svg.contains("NaN") || svg.contains("Infinity"), svg);
  }

  @Test
  void curvesOfOneGroupHaveOneColourAndOneLineInTheLegend() throws Exception {
    var chart = chart(Scale.LINEAR, curve("a", 1, 2), curve("a", 2, 3), curve("b", 0, 1));
    String svg = ChartImage.svg(chart);
    assertTrue(texts(svg).containsAll(List.of("a (2 curves)", "b")), svg);
    var colours = elements(svg, "polyline").stream().map(l -> l.getAttribute("stroke")).toList();
    assertEquals(colours.get(0), colours.get(1));
    assertEquals(2, colours.stream().distinct().count());
  }

  /// Empty, of one value, of tiny and huge numbers: an image in which every number is one.
  @Test
  void everyChartIsAnImage() throws Exception {
    for (Scale scale : Scale.values()) {
      for (Curve curve :
          List.of(
              curve("empty"),
              curve("one", 7),
              curve("flat", 3, 3, 3),
              curve("zero", 0, 0),
              curve("tiny", 1e-300, 2e-300),
              curve("huge", -1e300, 1e300),
              curve("narrow", 1.1, 1.2),
              curve("wide", 1e-30, 1e30))) {
        String svg = ChartImage.svg(chart(scale, curve));
        assertTrue(elements(svg, "line").size() < 60, curve.group());
        var number = Pattern.compile("[\"., -](NaN|-?Infinity)");
        assertFalse(number.matcher(svg).find(), svg);
      }
    }
  }

  @Test
  void numbersAreTheSameInEveryLanguage() {
    Locale before = Locale.getDefault();
    var chart = chart(Scale.LINEAR, curve("a", 0.25, 0.5));
    String here = ChartImage.svg(chart);
    try {
      Locale.setDefault(Locale.forLanguageTag("fa-IR"));
      assertEquals(here, ChartImage.svg(chart));
    } finally {
      Locale.setDefault(before);
    }
  }
}
