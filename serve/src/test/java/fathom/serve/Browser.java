package fathom.serve;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A real browser that is used through its debugging protocol, so that the page keeps its policy,
/// keys are the system's, and files are chosen as people do.
final class Browser implements AutoCloseable {
  private static final String BROWSER = "chromium";
  private static final int SECONDS = 60;

  private final Process process;
  private final WebSocket socket;
  private final AtomicInteger next = new AtomicInteger();
  private final Map<Integer, CompletableFuture<JsonNode>> waiting = new ConcurrentHashMap<>();
  private final List<JsonNode> events = new CopyOnWriteArrayList<>();

  /// Skips a test where there is none.
  static void find() {
    boolean found =
        Stream.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
            .anyMatch(path -> Files.isExecutable(Path.of(path, BROWSER)));
    assumeTrue(found, BROWSER + " is not installed: the page was not opened in a browser");
  }

  Browser(Path profile) throws Exception {
    Files.createDirectories(profile);
    process =
        new ProcessBuilder(
                BROWSER,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--remote-debugging-port=0",
                "--user-data-dir=" + profile,
                "about:blank")
            .redirectErrorStream(true)
            .redirectOutput(profile.resolve("log.txt").toFile())
            .start();
    Path port = profile.resolve("DevToolsActivePort");
    for (int i = 0; i < 100 * SECONDS && !(Files.exists(port) && Files.size(port) > 0); i++) {
      Thread.sleep(10);
    }
    String at = "http://127.0.0.1:" + Files.readAllLines(port).getFirst();
    try (HttpClient client = HttpClient.newHttpClient()) {
      JsonNode pages =
          JsonMapper.shared()
              .readTree(
                  client
                      .send(
                          HttpRequest.newBuilder(URI.create(at + "/json/list")).build(),
                          BodyHandlers.ofString())
                      .body());
      String page =
          pages
              .valueStream()
              .filter(each -> each.path("type").asString().equals("page"))
              .findFirst()
              .orElseThrow()
              .path("webSocketDebuggerUrl")
              .asString();
      socket =
          Digits.CLIENT
              .newWebSocketBuilder()
              .buildAsync(URI.create(page), new Listener())
              .get(SECONDS, TimeUnit.SECONDS);
    }
    for (String domain : List.of("Page", "Runtime", "Log", "Network", "DOM", "Accessibility")) {
      call(domain + ".enable", Map.of());
    }
  }

  private final class Listener implements WebSocket.Listener {
    private final StringBuilder text = new StringBuilder();

    @Override
    public CompletionStage<?> onText(WebSocket from, CharSequence part, boolean last) {
      text.append(part);
      if (last) {
        JsonNode message = JsonMapper.shared().readTree(text.toString());
        text.setLength(0);
        if (message.has("id")) {
          waiting.remove(message.path("id").asInt()).complete(message);
        } else {
          events.add(message);
        }
      }
      from.request(1);
      return CompletableFuture.completedStage(null);
    }
  }

  private JsonNode call(String method, Map<String, ?> params) throws Exception {
    int id = next.incrementAndGet();
    var answer = new CompletableFuture<JsonNode>();
    waiting.put(id, answer);
    socket
        .sendText(
            JsonMapper.shared()
                .writeValueAsString(Map.of("id", id, "method", method, "params", params)),
            true)
        .get(SECONDS, TimeUnit.SECONDS);
    JsonNode got = answer.get(SECONDS, TimeUnit.SECONDS);
    assertTrue(!got.has("error"), method + ": " + got);
    return got.path("result");
  }

  void open(String address) throws Exception {
    call("Page.navigate", Map.of("url", address));
    await("document.readyState === 'complete' && location.href.startsWith('http')");
  }

  JsonNode evaluate(String script) throws Exception {
    JsonNode got =
        call(
            "Runtime.evaluate",
            Map.of("expression", "{" + script + "}", "returnByValue", true, "awaitPromise", true));
    assertTrue(!got.has("exceptionDetails"), script + ": " + got);
    return got.path("result").path("value");
  }

  void await(String condition) throws Exception {
    for (int i = 0; i < 50 * SECONDS; i++) {
      if (evaluate(condition).asBoolean()) {
        return;
      }
      Thread.sleep(20);
    }
    assertTrue(false, condition + " in " + evaluate("document.body.innerText"));
  }

  void press(String key) throws Exception {
    int code = key.equals("Tab") ? 9 : 13;
    for (String type : List.of("keyDown", "keyUp")) {
      call(
          "Input.dispatchKeyEvent",
          Map.of(
              "type", type,
              "key", key,
              "code", key,
              "windowsVirtualKeyCode", code,
              "text", key.equals("Enter") && type.equals("keyDown") ? "\r" : ""));
    }
  }

  void types(String text) throws Exception {
    call("Input.insertText", Map.of("text", text));
  }

  void chooses(String selector, Path file) throws Exception {
    int root = call("DOM.getDocument", Map.of()).path("root").path("nodeId").asInt();
    int node =
        call("DOM.querySelector", Map.of("nodeId", root, "selector", selector))
            .path("nodeId")
            .asInt();
    call("DOM.setFileInputFiles", Map.of("files", List.of(file.toString()), "nodeId", node));
  }

  void dark() throws Exception {
    call(
        "Emulation.setEmulatedMedia",
        Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", "dark"))));
  }

  /// Returns the role and the name of each node that a screen reader has.
  List<String> roles() throws Exception {
    var roles = new ArrayList<String>();
    for (JsonNode node : call("Accessibility.getFullAXTree", Map.of()).path("nodes")) {
      if (!node.path("ignored").asBoolean()) {
        roles.add(
            node.path("role").path("value").asString()
                + " "
                + node.path("name").path("value").asString(""));
      }
    }
    return roles;
  }

  /// Returns what is on the console but that the server refused an image.
  List<String> complaints() {
    return events.stream()
        .filter(each ->
            List.of("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")
                .contains(each.path("method").asString()))
        .map(JsonNode::toString)
        .filter(each -> !each.contains("status of 400"))
        .toList();
  }

  /// Returns the addresses that were asked.
  List<JsonNode> requests() {
    return events.stream()
        .filter(each -> each.path("method").asString().equals("Network.requestWillBeSent"))
        .map(each -> each.path("params").path("request").path("url"))
        .toList();
  }

  @Override
  public void close() {
    socket.abort();
    List<ProcessHandle> children = process.descendants().toList();
    process.destroyForcibly().onExit().join();
    children.forEach(ProcessHandle::destroyForcibly);
    children.forEach(child -> child.onExit().join());
  }
}
