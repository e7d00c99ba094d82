package fathom.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.JsonNode;

/// The pages in a real browser, if one is installed.
class BrowserTest {
  /// Uses the first figure of [Sample] as a reader does, and leaves what it saw as JSON in the
  /// page.
  private static final String READER =
      """
      async function look() {
        const seen = {};
        const frame = () => new Promise(requestAnimationFrame);
        const settle = async () => { await frame(); await frame(); await frame(); };
        const [figure, neighbour] = document.querySelectorAll('figure');
        const over = figure.querySelector('.u-over');
        const plot = figure.querySelector('.plot');
        const [all, first] = figure.querySelectorAll('.legend button');
        const reset = figure.querySelector('.tools button');
        const text = (root, name) => [...root.querySelectorAll(name)].map(e => e.textContent);
        const mouse = async (type, part) => {
          const {left, top, width} = over.getBoundingClientRect();
          over.dispatchEvent(new MouseEvent(type, {
              bubbles: true, view: window, movementX: 9, clientX: left + part * width, clientY: top + 40}));
          await settle();
        };
        const key = async name => {
          plot.dispatchEvent(new KeyboardEvent('keydown', {key: name, bubbles: true, cancelable: true}));
          await settle();
        };
        const painted = root => {
          const canvas = root.querySelector('canvas');
          const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d');
          copy.drawImage(canvas, 0, 0);
          const {data} = copy.getImageData(0, 0, canvas.width, canvas.height);
          return [1, 2, 3, 4].map(c => {
            const hex = getComputedStyle(document.documentElement).getPropertyValue('--c' + c).trim();
            const colour = [1, 3, 5].map(i => parseInt(hex.slice(i, i + 2), 16));
            let count = 0;
            for (let i = 0; i < data.length; i += 4) {
              if (data[i + 3] > 200 && colour.every((v, k) => Math.abs(v - data[i + k]) < 12)) count++;
            }
            return count;
          });
        };
        const values = () => [...text(figure, '.where'), ...text(figure, '.value')];

        seen.paper = getComputedStyle(document.body).backgroundColor;
        seen.painted = [...document.querySelectorAll('figure')].map(painted);
        seen.idle = values();
        await mouse('mouseenter', 0.3);
        await mouse('mousemove', 1 / 3);
        seen.hover = values();
        seen.neighbour = text(neighbour, '.where')[0];
        await mouse('mousedown', 1 / 3);
        await mouse('mousemove', 2 / 3);
        await mouse('mouseup', 2 / 3);
        seen.zoomed = [reset.hidden, neighbour.querySelector('.tools button').hidden];
        await mouse('mousemove', 0);
        seen.zoomedLeft = text(figure, '.where')[0];
        reset.click();
        await settle();
        seen.reset = [reset.hidden, document.activeElement === plot];
        await key('Home');
        await key('ArrowRight');
        seen.spoken = text(figure, '[role=status]')[0];
        await key('+');
        seen.keyZoomed = reset.hidden;
        await mouse('dblclick', 0.5);
        seen.doubleClicked = reset.hidden;
        all.click();
        await settle();
        seen.hidden = painted(figure);
        first.click();
        await settle();
        seen.shown = painted(figure);
        seen.pressed = [...figure.querySelectorAll('.legend button')].map(b => b.ariaPressed);
        const wide = figure.querySelector('canvas').clientWidth;
        figure.style.width = '300px';
        await settle();
        seen.widths = [wide, figure.querySelector('canvas').clientWidth];
        return seen;
      }
      """;

  /// Looks at what is painted: in the first chart near given x, in all of them how much and which
  /// labels.
  private static final String PAINT =
      """
      const labels = new Map();
      const {fillText} = CanvasRenderingContext2D.prototype;
      CanvasRenderingContext2D.prototype.fillText = function(text, ...place) {
        labels.set(this.canvas, [...(labels.get(this.canvas) ?? []), text]);
        fillText.call(this, text, ...place);
      };
      function look() {
        const figures = [...document.querySelectorAll('figure')].filter(f => f.querySelector('canvas'));
        const pixels = (figure, path) => {
          const canvas = figure.querySelector('canvas');
          const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d');
          copy.drawImage(canvas, 0, 0);
          const {data} = copy.getImageData(0, 0, canvas.width, canvas.height);
          const colour = getComputedStyle(path).stroke.match(/\\d+/g).map(Number);
          return (x, y) => {
            const i = 4 * (y * canvas.width + x);
            return data[i + 3] > 200 && colour.every((v, k) => Math.abs(v - data[i + k]) < 40);
          };
        };
        const rows = figure => [...Array(figure.querySelector('canvas').height).keys()];
        const near = (figure, curve) => {
          const over = figure.querySelector('.u-over');
          const hit = pixels(figure, figure.querySelectorAll('.legend path')[curve]);
          return x => {
            const column = Math.round(over.offsetLeft + x / 9 * over.offsetWidth);
            return rows(figure).some(row => [-1, 0, 1].some(d => hit(column + d, row)));
          };
        };
        const area = figure => {
          const hit = pixels(figure, figure.querySelector('.legend li:last-child path'));
          const {offsetLeft, offsetWidth} = figure.querySelector('.u-over');
          const columns = [...Array(offsetWidth).keys()].map(x => x + offsetLeft);
          return rows(figure).flatMap(row => columns.filter(column => hit(column, row))).length;
        };
        return {
          paper: getComputedStyle(document.body).backgroundColor,
          a: [0.5, 1.25, 1.6, 2.5, 5, 8.5, 9].map(near(figures[0], 0)),
          b: [1.5, 1.75, 3, 5, 7.5, 8].map(near(figures[0], 1)),
          charts: figures.map(figure => ({
            title: figure.querySelector('h3').textContent,
            painted: area(figure),
            labels: labels.get(figure.querySelector('canvas')),
          })),
        };
      }
      """;

  @TempDir Path folder;

  @BeforeAll
  static void findTheBrowser() {
    Browser.find();
  }

  /// All the pages of these tests as one, as a browser takes seconds to start. The policy is in
  /// force: what it forbids is reported on the console.
  @Test
  void drawsEveryChartAndReportsNoError() throws Exception {
    List<Section> sections = PageTest.pages().flatMap(page -> page.sections().stream()).toList();
    Path file = folder.resolve("report.html");
    new Page("All", "", sections).write(file);
    String dom = new Browser(folder).open(file);
    int charts = count(dom, "<script type=\"application/json\"");
    assertTrue(charts > 20);
    assertEquals(charts, count(dom, "<canvas"));
    assertEquals(charts, count(dom, "<ul class=\"legend\""));
    assertTrue(dom.contains("<title>All</title>"), "a name was run");
  }

  @Test
  void canBeReadZoomedAndToggled() throws Exception {
    JsonNode seen = new Browser(folder).use(Sample.page(), READER, Browser.Scheme.LIGHT);

    assertEquals("rgb(251, 251, 248)", seen.get("paper").asString());
    for (JsonNode chart : seen.get("painted")) {
      chart.forEach(pixels -> assertTrue(pixels.asInt() > 30, "all four colours: " + chart));
    }

    Chart chart = (Chart) Sample.page().sections().get(1).blocks().getFirst();
    assertValues("Last values", 30, chart, seen.get("idle"));
    assertValues("epoch 10", 10, chart, seen.get("hover"));
    assertEquals("epoch 10", seen.get("neighbour").asString());

    assertEquals("[false,true]", seen.get("zoomed").toString(), "the neighbour keeps its zoom");
    assertEquals("epoch 10", seen.get("zoomedLeft").asString());
    assertEquals("[true,true]", seen.get("reset").toString());
    assertFalse(seen.get("keyZoomed").asBoolean());
    assertTrue(seen.get("doubleClicked").asBoolean());
    String spoken = seen.get("spoken").asString();
    assertTrue(spoken.startsWith("epoch 1: plain-20 seed 0 "), spoken);

    assertEquals(0, seen.get("hidden").get(0).asInt());
    assertNotEquals(0, seen.get("hidden").get(1).asInt());
    assertNotEquals(0, seen.get("shown").get(0).asInt());
    List<String> pressed = seen.get("pressed").valueStream().map(JsonNode::asString).toList();
    assertEquals(List.of("true", "true", "false", "false", "true"), pressed.subList(0, 5));
    assertTrue(seen.get("widths").get(0).asInt() > 400);
    assertEquals(300, seen.get("widths").get(1).asInt());
  }

  @Test
  void drawsGapsAndExtremesAlsoInTheDark() throws Exception {
    // Next to a gap nothing may be painted, not even up to the x of another curve.
    Curve a = Curve.of("a", "", new double[] {0, 1, 2, 9}, new double[] {1, 1, Double.NaN, 1});
    Curve b = Curve.of("b", "", new double[] {1.5, 4, 8}, new double[] {2, Double.NaN, 2});
    Chart gaps = new Chart("gaps", "", "x", "y", Scale.LINEAR, List.of(a, b));
    List<Section> sections = new ArrayList<>(List.of(new Section("Gaps", gaps)));
    sections.addAll(Extremes.page().sections());
    JsonNode seen =
        new Browser(folder).use(new Page("t", "l", sections), PAINT, Browser.Scheme.DARK);

    assertEquals("rgb(16, 23, 28)", seen.get("paper").asString());
    assertEquals("[true,false,false,false,false,false,true]", seen.get("a").toString());
    assertEquals("[true,false,false,false,false,true]", seen.get("b").toString());
    for (JsonNode chart : seen.get("charts")) {
      String title = chart.get("title").asString();
      assertTrue(chart.get("painted").asInt() > 8, title + ": no line or dot");
      List<String> labels = chart.get("labels").valueStream().map(JsonNode::asString).toList();
      for (String label : labels) {
        assertTrue(
            label.matches("(−?[\\d,.]+(\u2009×\u200910|(?<=10))?[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]*|\\w+( \\d+)?)?"),
            title + ": " + label);
        assertFalse(label.matches(".*(NaN|Infinity|undefined|null).*"), title + ": " + label);
      }
      assertTrue(labels.stream().filter(label -> !label.isEmpty()).count() >= 3, title + labels);
    }
  }

  /// Twenty classes with long names, every shade, images of all sizes.
  @ParameterizedTest
  @EnumSource
  void manyClassesAreReadOnATelephone(Browser.Scheme scheme) throws Exception {
    new Browser(folder).visit(Sample.tested(), scheme, List.of(3, 0, 0, 12, 1));
  }

  private static void assertValues(String where, int epoch, Chart chart, JsonNode seen) {
    assertEquals(where, seen.get(0).asString());
    for (int i = 0; i < chart.curves().size(); i++) {
      double given = chart.curves().get(i).points().get(epoch).y();
      assertEquals(given, Double.parseDouble(seen.get(i + 1).asString()), 5e-4 * given);
    }
  }

  private static int count(String text, String part) {
    return text.split(Pattern.quote(part), -1).length - 1;
  }
}
