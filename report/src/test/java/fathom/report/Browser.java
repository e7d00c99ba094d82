package fathom.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A real browser, with its files in a folder. Whatever is written on its console fails a test.
public final class Browser {
  private static final String BROWSER = "chromium";

  /// What the user's system prefers.
  public enum Scheme {
    DARK,
    LIGHT
  }

  private static final String REPORT =
      """
      addEventListener('load', async () => {
        const seen = await Promise.resolve().then(look).catch(error => ({error: error.stack}));
        fetch('/', {method: 'POST', body: JSON.stringify(seen)});
      });
      """;

  /// Reads a page in its frame, on a telephone and on a large screen, as somebody does who clicks
  /// on everything.
  private static final String VISITOR =
      """
      async function look() {
        const seen = [];
        for (const width of [360, 1200]) seen.push(await visit(width));
        return seen;
      }
      async function visit(width) {
        const frame = document.createElement('iframe');
        Object.assign(frame, {width, height: 900, src: '/page'});
        frame.style.border = '0';
        await new Promise(done => { frame.onload = done; document.body.append(frame); });
        const {contentDocument: page, contentWindow: view} = frame;
        const settle = async () => { for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame); };
        const all = selector => [...page.querySelectorAll(selector)];
        const seen = {width: view.innerWidth, paper: view.getComputedStyle(page.body).backgroundColor};
        await settle();

        seen.links = [];
        for (const link of all('nav a')) {
          link.click();
          await settle();
          const {top} = page.querySelector(link.getAttribute('href')).getBoundingClientRect();
          seen.links.push(top > -2 && top < view.innerHeight);
        }
        seen.opened = [];
        for (const summary of all('summary')) {
          summary.click();
          await settle();
          seen.opened.push(summary.parentElement.querySelector('table').clientHeight > 0);
        }
        seen.toggled = [];
        for (const button of all('.legend li:first-child button')) {
          const states = [button.ariaPressed];
          for (let i = 0; i < 2; i++) {
            button.click();
            await settle();
            states.push(button.ariaPressed);
          }
          seen.toggled.push(states.join(' '));
        }
        seen.overflow = page.documentElement.scrollWidth - page.documentElement.clientWidth;
        seen.images = all('img').map(image => image.complete && image.naturalWidth > 0 && image.alt !== '');
        seen.headsStay = all('.matrix').map(matrix => {
          const box = matrix.closest('.frame');
          box.scrollLeft = 1e6;
          const shift = matrix.querySelector('tbody th').getBoundingClientRect().left - box.getBoundingClientRect().left;
          return Math.abs(shift) < 2;
        });
        seen.faint = all('body *').filter(node => {
          const words = [...node.childNodes].some(child => child.nodeType === 3 && child.data.trim() !== '');
          return words && node.checkVisibility() && !node.closest('script, style, svg, .spoken');
        }).map(node => [node.tagName + '.' + node.className + ' ' + node.textContent.slice(0, 30), contrast(view, node), large(view, node)])
          .filter(([, ratio, large]) => ratio < (large ? 3 : 4.5))
          .map(([name, ratio]) => name + ' ' + ratio.toFixed(2));
        frame.remove();
        return seen;
      }
      function large(view, node) {
        const {fontSize, fontWeight} = view.getComputedStyle(node);
        return parseFloat(fontSize) >= (fontWeight >= 700 ? 18.66 : 24);
      }
      /** The ratio of the Web Content Accessibility Guidelines, 1 to 21, by the nearest background. */
      function contrast(view, node) {
        const parts = colour => colour.match(/[\\d.]+/g).map(Number);
        const luminance = ([r, g, b]) => [r, g, b]
            .map(v => v / 255)
            .map(v => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
            .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
        let behind = node;
        while (parts(view.getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement;
        const [dark, light] = [view.getComputedStyle(node).color, view.getComputedStyle(behind).backgroundColor]
            .map(colour => luminance(parts(colour)))
            .sort((a, b) => a - b);
        return (light + 0.05) / (dark + 0.05);
      }
      """;

  private final Path folder;

  public Browser(Path folder) {
    this.folder = folder;
  }

  /// Skips a test where there is none.
  public static void find() {
    boolean found =
        Stream.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
            .anyMatch(path -> Files.isExecutable(Path.of(path, BROWSER)));
    assumeTrue(found, BROWSER + " is not installed: the pages were not opened in a browser");
  }

  /// Opens the page, its policy in force, in both widths and this scheme: nothing is too wide, too
  /// faint, missing or dead. `clicks` is what it has of links, tables that open, curves, images and
  /// matrices.
  public void visit(Page page, Scheme scheme, List<Integer> clicks) throws Exception {
    String visitor =
        "<!DOCTYPE html><html><head><script>%s</script></head><body></body></html>"
            .formatted(VISITOR + REPORT);
    JsonNode visits = see(Map.of("/", visitor, "/page", page.html()), scheme);
    int[] widths = {360, 1200};
    for (int i = 0; i < widths.length; i++) {
      JsonNode seen = visits.get(i);
      assertEquals(widths[i], seen.get("width").asInt());
      assertEquals(
          scheme == Scheme.DARK ? "rgb(16, 23, 28)" : "rgb(251, 251, 248)",
          seen.get("paper").asString());
      assertEquals("[]", seen.get("faint").toString(), scheme + " at " + widths[i]);
      assertEquals(0, seen.get("overflow").asInt(), "wider than " + widths[i]);
      List<String> names = List.of("links", "opened", "toggled", "images", "headsStay");
      for (int k = 0; k < names.size(); k++) {
        JsonNode each = seen.get(names.get(k));
        assertEquals(clicks.get(k), each.size(), names.get(k) + ": " + seen);
        String good = names.get(k).equals("toggled") ? "true false true" : "true";
        each.forEach(one -> assertEquals(good, one.asString(), each.toString()));
      }
    }
  }

  /// Opens the page, served by ourselves and without its policy, with a script that defines `look`,
  /// and returns what that sees.
  JsonNode use(Page page, String script, Scheme scheme) throws Exception {
    String html =
        page.html()
            .replaceFirst("<meta http-equiv=\"Content-Security-Policy\"[^>]*>", "")
            .replace("</head>", "<script>" + script + REPORT + "</script></head>");
    return see(Map.of("/", html), scheme);
  }

  /// Opens `/` of these pages, and returns what its script reports.
  private JsonNode see(Map<String, String> pages, Scheme scheme) throws Exception {
    CompletableFuture<String> seen = new CompletableFuture<>();
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", exchange -> serve(exchange, pages, seen));
    server.start();
    Process browser =
        start(
            "http://localhost:" + server.getAddress().getPort() + "/",
            // Keeps the browser open.
            "--remote-debugging-port=0",
            "--blink-settings=preferredColorScheme=" + (scheme == Scheme.DARK ? 0 : 1));
    try {
      JsonNode answer = JsonMapper.shared().readTree(seen.get(60, TimeUnit.SECONDS));
      assertFalse(answer.has("error"), answer.toString());
      return answer;
    } finally {
      stop(browser);
      server.stop(0);
      assertQuiet();
    }
  }

  private static void serve(
      HttpExchange exchange, Map<String, String> pages, CompletableFuture<String> seen)
      throws IOException {
    try (exchange) {
      if (exchange.getRequestMethod().equals("POST")) {
        seen.complete(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
        exchange.sendResponseHeaders(204, -1);
      } else {
        exchange.getResponseHeaders().set("Content-Type", "text/html");
        String html = pages.get(exchange.getRequestURI().getPath());
        exchange.sendResponseHeaders(html == null ? 404 : 200, 0);
        exchange
            .getResponseBody()
            .write((html == null ? "" : html).getBytes(StandardCharsets.UTF_8));
      }
    }
  }

  /// The page's document after its scripts ran.
  String open(Path file) throws IOException, InterruptedException {
    Process browser = start(file.toUri().toString(), "--dump-dom");
    try {
      assertTrue(browser.waitFor(60, TimeUnit.SECONDS), "the browser hangs on " + file);
    } finally {
      stop(browser);
      assertQuiet();
    }
    return Files.readString(folder.resolve("out.txt"));
  }

  private Process start(String address, String... flags) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                BROWSER,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--user-data-dir=" + folder.resolve("profile"),
                "--window-size=1200,1600",
                "--enable-logging=stderr",
                "--v=0"));
    command.addAll(List.of(flags));
    command.add(address);
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectOutput(folder.resolve("out.txt").toFile())
            .redirectError(folder.resolve("log.txt").toFile());
    builder.environment().put("TMPDIR", folder.toString());
    return builder.start();
  }

  private static void stop(Process browser) throws InterruptedException {
    List<ProcessHandle> processes = browser.descendants().toList();
    browser.destroyForcibly().waitFor();
    processes.forEach(ProcessHandle::destroyForcibly);
    processes.forEach(process -> process.onExit().join());
  }

  private void assertQuiet() throws IOException {
    try (Stream<String> log = Files.lines(folder.resolve("log.txt"))) {
      assertEquals(List.of(), log.filter(line -> line.contains("CONSOLE")).toList());
    }
  }
}
