package fathom.report;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.io.BadFileException;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class PageTest {
  private static final String HOSTILE =
      "</script><!--<script>]]><img src=x onerror=\"document.title='had'\"> & 'q' \u2028"
          + " \ud83d\ude00";

  static Stream<Page> pages() {
    return Stream.of(
        Sample.page(), Sample.tested(), Extremes.page(), hostile(HOSTILE), new Page("Empty", ""));
  }

  /// A page that has this text in every place that takes text.
  private static Page hostile(String text) {
    List<Point> points = List.of(new Point(0, 1), new Point(1, 2));
    return new Page(
        text,
        text,
        new Section(
            text,
            new Text(text),
            new Table(text, List.of(text, text), List.of(List.of(text, text))),
            new Matrix(text, List.of(text), List.of(List.of(1L))),
            new Gallery(
                List.of(new Gallery.Image(Sample.png(8, 8), "a \" and " + text, List.of(text)))),
            new Facts(new LinkedHashMap<>(Map.of(text, text))),
            new Chart(text, text, text, text, Scale.LOG, List.of(new Curve(text, text, points)))));
  }

  // --- what holds for every page

  @ParameterizedTest
  @MethodSource("pages")
  void isWellFormedAndHasAnOutline(Page page) throws Exception {
    Document document = parse(page.html());
    assertEquals("html", document.getDocumentElement().getTagName());
    assertEquals("en", document.getDocumentElement().getAttribute("lang"));
    assertEquals(1, elements(document, "h1").size());
    assertEquals(page.sections().size(), elements(document, "h2").size());
    for (Element section : elements(document, "section")) {
      assertEquals(1, elements(section, "h2").size());
    }
    for (Element figure : elements(document, "figure")) {
      assertEquals(1, elements(figure, "figcaption").size());
      assertEquals(1, elements(figure, "table").size());
    }
    for (Element table : elements(document, "table")) {
      assertEquals(1, elements(table, "caption").size());
      assertTrue(elements(table, "th").stream().allMatch(th -> th.hasAttribute("scope")));
    }
    for (Element element : elements(document, "*")) {
      assertTrue(!element.getAttribute("role").equals("img") || element.hasAttribute("aria-label"));
    }
  }

  @ParameterizedTest
  @MethodSource("pages")
  void namesAreUniqueAndReferencesLead(Page page) throws Exception {
    Document document = parse(page.html());
    Set<String> ids = new HashSet<>();
    for (Element element : elements(document, "*")) {
      assertTrue(!element.hasAttribute("id") || ids.add(element.getAttribute("id")));
    }
    for (Element element : elements(document, "*")) {
      assertTrue(
          !element.hasAttribute("aria-labelledby")
              || ids.contains(element.getAttribute("aria-labelledby")));
      String link = element.getAttribute("href");
      assertTrue(!link.startsWith("#") || ids.contains(link.substring(1)), link);
    }
  }

  @ParameterizedTest
  @MethodSource("pages")
  void loadsNothing(Page page) throws Exception {
    String html = page.html();
    Matcher addresses = Pattern.compile("https?://[^\\s\"'`)]*").matcher(html);
    while (addresses.find()) {
      assertEquals("https://github.com/leeoniya/uPlot", addresses.group(), "the licence's address");
    }
    assertFalse(html.contains("@import"));
    assertFalse(html.contains("url("));
    for (Element element : elements(parse(html), "*")) {
      String source = element.getAttribute("src");
      assertTrue(source.isEmpty() || source.startsWith("data:image/png;base64,"), source);
      String link = element.getAttribute("href");
      assertTrue(link.isEmpty() || link.startsWith("#") || link.equals("data:,"), link);
    }
  }

  /// The hashes of the policy are those of the script and the style as a browser reads them.
  @ParameterizedTest
  @MethodSource("pages")
  void policyAdmitsThisScriptAndThisStyleOnly(Page page) throws Exception {
    String html = page.html();
    String policy =
        elements(parse(html), "meta").stream()
            .filter(meta -> meta.getAttribute("http-equiv").equals("Content-Security-Policy"))
            .findFirst()
            .orElseThrow()
            .getAttribute("content");
    assertTrue(policy.startsWith("default-src 'none'; "), policy);
    assertFalse(policy.contains("unsafe"), policy);
    for (String name : List.of("script", "style")) {
      int from = html.indexOf("<" + name + ">") + name.length() + 2;
      int to = html.indexOf("</" + name + ">", from);
      byte[] hash =
          MessageDigest.getInstance("SHA-256")
              .digest(html.substring(from, to).getBytes(StandardCharsets.UTF_8));
      String source = "'sha256-" + Base64.getEncoder().encodeToString(hash) + "'";
      assertTrue(policy.contains(name + "-src " + source), policy);
    }
  }

  @ParameterizedTest
  @MethodSource("pages")
  void everyScriptEndsWhereItShould(Page page) throws Exception {
    String html = page.html();
    int charts = elements(parse(html), "script").size() - 1;
    assertEquals(charts + 1, html.split("</script", -1).length - 1);
    assertEquals(charts + 1, html.split("<script", -1).length - 1);
    assertFalse(html.contains("<!--"));
  }

  @Test
  void samePageIsTheSameBytes() {
    assertEquals(Sample.page().html(), Sample.page().html());
  }

  // --- text

  @Test
  void hostileTextStaysText() throws Exception {
    Document document = parse(hostile(HOSTILE).html());
    assertEquals(1, elements(document, "img").size(), "that of the gallery");
    for (Element element : elements(document, "*")) {
      for (int i = 0; i < element.getAttributes().getLength(); i++) {
        assertFalse(element.getAttributes().item(i).getNodeName().startsWith("on"));
      }
    }
    for (String name : List.of("title", "h1", "h2", "h3", "caption", "td", "dt", "dd")) {
      assertEquals(HOSTILE, elements(document, name).getFirst().getTextContent(), name);
    }
    JsonNode curve = data(hostile(HOSTILE)).getFirst().get("curves").get(0);
    assertEquals(HOSTILE, curve.get("group").asString());
    assertEquals(HOSTILE, curve.get("name").asString());
  }

  @Test
  void whatXmlCannotHoldIsReplaced() throws Exception {
    String odd = "a\u0000b\u001bc\ud800d\uffffe\u0085f\r\ng\th";
    String clean = "a\ufffdb\ufffdc\ufffdd\ufffde\ufffdf\ng\th";
    Document document = parse(hostile(odd).html());
    assertEquals(clean, elements(document, "h1").getFirst().getTextContent());
    JsonNode curve = data(hostile(odd)).getFirst().get("curves").get(0);
    assertEquals(clean, curve.get("group").asString());
  }

  @Test
  void anEmptyLineBeginsAParagraph() throws Exception {
    Page page = new Page("t", "l", new Section("s", new Text("one\ntwo\n\n three\r\n\r\nfour\n")));
    Element section = elements(parse(page.html()), "section").getFirst();
    assertEquals(List.of("one\ntwo", "three", "four"), texts(elements(section, "p")));
  }

  // --- tables

  @Test
  void cellsAreThoseGiven() throws Exception {
    List<List<String>> rows =
        List.of(
            List.of("plain", "0.30000000000000004", "8.1 ± 0.6", ""),
            List.of("residual", "-1e-9", "2.3 ± 0.2", "x"));
    Table table = new Table("c", List.of("net", "a", "b", "d"), rows);
    Document document = parse(new Page("t", "l", new Section("s", table)).html());
    assertEquals(rows, rows(elements(document, "table").getFirst()));
    List<String> right =
        texts(
            elements(document, "*").stream()
                .filter(e -> e.getAttribute("class").equals("number"))
                .toList());
    assertEquals(
        List.of("a", "b", "0.30000000000000004", "8.1 ± 0.6", "-1e-9", "2.3 ± 0.2"), right);
  }

  @Test
  void aRowThatDoesNotFitTheHeadIsRefused() {
    String message =
        refusal(
            IllegalArgumentException.class,
            () -> new Table("errors", List.of("a", "b"), List.of(List.of("1", "2", "3"))));
    assertEquals(
        "table \"errors\": row 0 has 3 cells, but the head has 2; give one cell for each heading",
        message);
  }

  @Test
  void factsKeepTheirOrder() throws Exception {
    LinkedHashMap<String, String> facts = new LinkedHashMap<>();
    IntStream.range(0, 20).forEach(i -> facts.put("fact " + (i * 7) % 20, "value " + i));
    Facts block = new Facts(facts);
    facts.clear();
    Document document = parse(new Page("t", "l", new Section("s", block)).html());
    assertEquals(
        IntStream.range(0, 20).mapToObj(i -> "fact " + (i * 7) % 20).toList(),
        texts(elements(document, "dt")));
    assertEquals(
        IntStream.range(0, 20).mapToObj(i -> "value " + i).toList(),
        texts(elements(document, "dd")));
  }

  // --- matrices and galleries

  /// From none to more than 30 % of a row, and on the diagonal what is no mistake.
  @Test
  void aMistakeIsShadedByItsShareOfTheRow() throws Exception {
    List<List<Long>> counts = new ArrayList<>(List.of(List.of(800L, 300L, 90L, 29L, 9L, 0L)));
    for (int i = 1; i < 6; i++) {
      counts.add(List.of(0L, 0L, 0L, 0L, 0L, 2L));
    }
    List<String> names = List.of("a", "b", "c", "d", "e", "f");
    Page page = new Page("t", "l", new Section("s", new Matrix("c", names, counts)));
    Element body = elements(elements(parse(page.html()), "table").getFirst(), "tbody").getFirst();
    List<Element> first = elements(elements(body, "tr").getFirst(), "td");
    assertEquals(List.of("800", "300", "90", "29", "9", ""), texts(first));
    assertEquals(
        List.of("right", "shade4", "shade3", "shade2", "shade1", "none"),
        first.stream().map(cell -> cell.getAttribute("class")).toList());
    List<Element> last = elements(elements(body, "tr").get(5), "td");
    assertEquals("right", last.get(5).getAttribute("class"));
    assertEquals(
        "shade5", elements(elements(body, "tr").get(1), "td").get(5).getAttribute("class"));
    String message =
        refusal(
            IllegalArgumentException.class, () -> new Matrix("c", names, List.of(List.of(1L, 2L))));
    assertTrue(message.contains("6 names") && message.contains("1 rows of [2]"), message);
  }

  @ParameterizedTest
  @CsvSource({"8, 8, 112, 112", "28, 20, 112, 80", "32, 32, 96, 96", "112, 70, 112, 70"})
  void aImageIsEnlargedByAWholeFactor(int width, int height, String wide, String high)
      throws Exception {
    byte[] png = Sample.png(width, height);
    Gallery gallery =
        new Gallery(List.of(new Gallery.Image(png, "a cat", List.of("cat", "taken for dog"))));
    Document document = parse(new Page("t", "l", new Section("s", gallery)).html());
    Element image = elements(document, "img").getFirst();
    assertEquals(wide, image.getAttribute("width"));
    assertEquals(high, image.getAttribute("height"));
    assertEquals("a cat", image.getAttribute("alt"));
    String source = image.getAttribute("src");
    assertArrayEquals(png, Base64.getDecoder().decode(source.substring(source.indexOf(',') + 1)));
    assertEquals(
        List.of("cat", "taken for dog"), texts(elements(elements(document, "li").getFirst(), "p")));
    byte[] cut = Arrays.copyOf(png, 20);
    assertThrows(IllegalArgumentException.class, () -> new Gallery.Image(cut, "a cat", List.of()));
  }

  // --- charts

  @Test
  void everyPointIsInTheDataAndGapsAreNull() throws Exception {
    double[] x = {-2, 0, 0.1, 7, 8, 9};
    double[] y = {0.30000000000000004, Double.NaN, -0.0, Double.POSITIVE_INFINITY, -3, 4.9e-324};
    Curve curve = Curve.of("g", "n", x, y);
    JsonNode linear = curves(Scale.LINEAR, curve).getFirst();
    assertArrayEquals(x, numbers(linear.get("x")));
    double[] gaps = {y[0], Double.NaN, 0, Double.NaN, -3, y[5]};
    assertArrayEquals(gaps, numbers(linear.get("y")), 0);
    JsonNode log = curves(Scale.LOG, curve).getFirst();
    assertArrayEquals(x, numbers(log.get("x")));
    assertArrayEquals(
        new double[] {y[0], Double.NaN, Double.NaN, Double.NaN, Double.NaN, y[5]},
        numbers(log.get("y")));
  }

  @Test
  void theTableBelowAChartHasWhatIsNotDrawnToo() throws Exception {
    Curve a = Curve.of("a", "", new double[] {0, 1, 2}, new double[] {-1, Double.NaN, 0.123456});
    Curve b = Curve.of("b", "seed 1", new double[] {1, 2.5}, new double[] {60000, 1e-9});
    Document document = parse(page(chart(Scale.LOG, a, b)).html());
    assertEquals(
        List.of("x", "a", "b, seed 1"),
        texts(elements(elements(document, "thead").getFirst(), "th")));
    assertEquals(
        List.of(
            List.of("0", "-1", ""),
            List.of("1", "NaN", "60000"),
            List.of("2", "0.12346", ""),
            List.of("2.5", "", "1e-9")),
        rows(elements(document, "table").getFirst()));
  }

  @ParameterizedTest
  @MethodSource("lengths")
  void theTableBelowAChartIsThinned(int length) throws Exception {
    double[] x = IntStream.range(0, length).asDoubleStream().toArray();
    double[] y = DoubleStream.of(x).map(v -> v * v).toArray();
    double[] epochs =
        IntStream.rangeClosed(1, length / 100).mapToDouble(e -> e * 100 - 1).toArray();
    Chart chart =
        chart(
            Scale.LINEAR,
            Curve.of("step", "", x, y),
            Curve.of("epoch", "", epochs, DoubleStream.of(epochs).map(v -> -v).toArray()));
    Document document = parse(page(chart).html());
    List<List<String>> rows = rows(elements(document, "table").getFirst());
    assertEquals(Math.min(length, 50), rows.size());
    assertEquals("0", rows.getFirst().getFirst());
    assertEquals(Integer.toString(length - 1), rows.getLast().getFirst());
    int inBoth = 0;
    double before = -1;
    for (List<String> row : rows) {
      double at = Double.parseDouble(row.get(0));
      assertTrue(at > before);
      assertTrue(at - before <= 2 * Math.max(1, length / 48.0), "no stretch is left out");
      assertEquals(at * at, Double.parseDouble(row.get(1)), 5e-5 * at * at);
      inBoth += row.get(2).isEmpty() ? 0 : 1;
      before = at;
    }
    assertEquals(length >= 10_000 ? 49 : inBoth, inBoth, "rows that all curves have come first");
    assertEquals(length, data(page(chart)).getFirst().get("curves").get(0).get("x").size());
  }

  static IntStream lengths() {
    return IntStream.of(1, 2, 49, 50, 51, 52, 99, 1000, 10_000);
  }

  @Test
  void aGroupHasOneColourOnThePageAndItsMembersOtherDashes() throws Exception {
    Curve[] plain = {dot("plain", "0"), dot("plain", "1"), dot("plain", "2")};
    Curve residual = dot("residual", "0");
    Page page =
        page(
            chart(Scale.LINEAR, plain[0], residual, plain[1], plain[2]),
            chart(Scale.LOG, residual));
    List<JsonNode> charts = data(page);
    assertEquals(
        List.of("1", "2", "1", "1"), charts.get(0).get("curves").findValuesAsString("colour"));
    assertEquals(
        List.of("0", "0", "1", "2"), charts.get(0).get("curves").findValuesAsString("dash"));
    assertEquals(List.of("2"), charts.get(1).get("curves").findValuesAsString("colour"));
  }

  @Test
  void groupsBeyondTheColoursDifferInDashes() throws Exception {
    Curve[] many =
        IntStream.range(0, 30).mapToObj(i -> dot("group " + i, "")).toArray(Curve[]::new);
    Set<String> looks = new HashSet<>();
    for (JsonNode curve : curves(Scale.LINEAR, many)) {
      assertTrue(looks.add(curve.get("colour") + " " + curve.get("dash")));
    }
  }

  @Test
  void aChartIsSaidInWords() throws Exception {
    Chart chart =
        new Chart(
            "t",
            "",
            "epoch",
            "error, %",
            Scale.LOG,
            List.of(
                Curve.of("plain", "0", new double[] {0, 1, 2}, new double[] {90, 40, 0}),
                Curve.of("plain", "1", new double[] {0, 1}, new double[] {88, 30}),
                Curve.of("residual", "", new double[] {0, 1}, new double[] {90, 0.25}),
                Curve.of("none", "", new double[] {0}, new double[] {-1})));
    String words =
        elements(parse(page(chart).html()), "*").stream()
            .filter(e -> e.getAttribute("role").equals("img"))
            .findFirst()
            .orElseThrow()
            .getAttribute("aria-label");
    assertEquals(
        "Line chart: error, % by epoch, logarithmic scale. plain, 2 curves: begins at 88 to 90,"
            + " ends at 30 to 40. residual: begins at 90, ends at 0.25. none: no values.",
        words);
  }

  @Test
  void aChartWithoutValuesSaysSo() throws Exception {
    Document document =
        parse(page(chart(Scale.LOG, Curve.of("g", "", new double[] {1}, new double[] {0}))).html());
    assertEquals(1, elements(document, "script").size(), "only our own");
    assertTrue(texts(elements(document, "p")).contains("None of the values can be drawn."));
  }

  @Test
  void pointsOutOfOrderAreRefused() {
    assertRefused(new double[] {1, 1}, "x[1] is 1.0 after 1.0");
    assertRefused(new double[] {0.0, -0.0}, "x[1] is 0.0 after 0.0");
    assertRefused(new double[] {2, 1}, "x[1] is 1.0 after 2.0");
    assertRefused(new double[] {0, Double.NaN}, "x[1] is NaN after 0.0");
    assertRefused(new double[] {Double.NEGATIVE_INFINITY}, "x[0] is -Infinity after nothing");
    assertRefused(new double[] {0, Double.POSITIVE_INFINITY}, "x[1] is Infinity after 0.0");
    String message =
        refusal(
            IllegalArgumentException.class, () -> Curve.of("g", "n", new double[3], new double[2]));
    assertEquals("curve \"g\" \"n\": every x needs a y, but there are 3 x and 2 y", message);
  }

  private static void assertRefused(double[] x, String part) {
    String message =
        refusal(IllegalArgumentException.class, () -> Curve.of("g", "n", x, new double[x.length]));
    assertTrue(message.contains(part), message);
  }

  // --- files

  @Test
  void writesTheBytesAndNothingElse(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("report.html");
    Files.writeString(file, "an older and much longer report".repeat(100_000));
    Sample.page().write(file);
    assertArrayEquals(
        Sample.page().html().getBytes(StandardCharsets.UTF_8), Files.readAllBytes(file));
    try (Stream<Path> files = Files.list(folder)) {
      assertEquals(List.of(file), files.toList());
    }
  }

  @Test
  void aPlaceThatCannotBeWrittenIsNamed(@TempDir Path folder) throws IOException {
    Path nowhere = folder.resolve("missing").resolve("report.html");
    String message = refusal(BadFileException.class, () -> Sample.page().write(nowhere));
    assertTrue(
        message.startsWith(nowhere + ": cannot be written") && message.contains("make it first"),
        message);
    Path taken = folder.resolve("taken.html");
    Files.createDirectories(taken.resolve("full"));
    assertThrows(BadFileException.class, () -> Sample.page().write(taken));
    try (Stream<Path> files = Files.list(folder)) {
      assertEquals(List.of(taken), files.toList(), "no part is left behind");
    }
  }

  private static String refusal(Class<? extends Exception> type, Executable construction) {
    return String.valueOf(assertThrows(type, construction).getMessage());
  }

  // --- reading pages

  private static Page page(Chart... charts) {
    return new Page("t", "l", new Section("s", List.of(charts)));
  }

  private static Chart chart(Scale scale, Curve... curves) {
    return new Chart("t", "c", "x", "y", scale, List.of(curves));
  }

  private static Curve dot(String group, String name) {
    return new Curve(group, name, List.of(new Point(0, 1)));
  }

  private static List<JsonNode> curves(Scale scale, Curve... curves) throws Exception {
    return data(page(chart(scale, curves))).getFirst().get("curves").valueStream().toList();
  }

  private static List<JsonNode> data(Page page) throws Exception {
    return elements(parse(page.html()), "script").stream()
        .filter(script -> script.getAttribute("type").equals("application/json"))
        .map(script -> JsonMapper.shared().readTree(script.getTextContent()))
        .toList();
  }

  private static double[] numbers(JsonNode array) {
    return array.valueStream().mapToDouble(v -> v.isNull() ? Double.NaN : v.asDouble()).toArray();
  }

  private static List<List<String>> rows(Element table) {
    Element body = elements(table, "tbody").getFirst();
    return elements(body, "tr").stream().map(row -> texts(elements(row, "*"))).toList();
  }

  private static List<String> texts(List<Element> elements) {
    return elements.stream().map(Element::getTextContent).toList();
  }

  private static List<Element> elements(Document document, String name) {
    return list(document.getElementsByTagName(name));
  }

  private static List<Element> elements(Element element, String name) {
    return list(element.getElementsByTagName(name));
  }

  private static List<Element> list(NodeList nodes) {
    return IntStream.range(0, nodes.getLength()).mapToObj(i -> (Element) nodes.item(i)).toList();
  }

  private static Document parse(String html) throws Exception {
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new InputSource(new StringReader(html)));
  }
}
