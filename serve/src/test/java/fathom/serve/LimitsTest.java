package fathom.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.infer.ImageClassifier;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What a server does at each of its limits.
class LimitsTest {
  private static final String CLASSIFY = "/v2/models/digits/classify";
  private static final Duration LONG = Duration.ofSeconds(60);

  private final ExecutorService decoding = Executors.newFixedThreadPool(1);
  private final CountDownLatch held = new CountDownLatch(1);
  private final List<ModelServer> servers = new ArrayList<>();

  @AfterEach
  void stop() {
    held.countDown();
    servers.forEach(ModelServer::close);
    decoding.shutdownNow();
  }

  private ModelServer server(Limits limits) {
    ModelServer server =
        ModelServer.start(
            Digits.settings().withLimits(limits),
            Map.of(Digits.NAME, () -> ImageClassifier.open(Digits.RUN)),
            decoding);
    servers.add(server);
    return server;
  }

  /// Nothing is decoded until the latch is counted down.
  private ModelServer heldServer(Limits limits) {
    decoding.execute(() -> {
      try {
        held.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    });
    return server(limits);
  }

  private static void await(BooleanSupplier condition) throws InterruptedException {
    for (int i = 0; i < 3000 && !condition.getAsBoolean(); i++) {
      Thread.sleep(10);
    }
    assertTrue(condition.getAsBoolean(), "it did not come true");
  }

  private static CompletableFuture<HttpResponse<byte[]>> post(ModelServer server) {
    return Digits.CLIENT.sendAsync(
        Digits.request(server.address(), CLASSIFY, Digits.png(1)).build(),
        BodyHandlers.ofByteArray());
  }

  @Test
  void beyondTheQueueIsRefusedAndTheRestAnswered() throws Exception {
    ModelServer server = heldServer(Limits.usual().withQueue(1, 2).withTimes(LONG, LONG));
    List<CompletableFuture<HttpResponse<byte[]>>> waiting = List.of(post(server), post(server));
    await(() -> server.depth() == 2);
    HttpResponse<byte[]> refused = post(server).get(60, TimeUnit.SECONDS);
    assertEquals(503, refused.statusCode());
    assertEquals("1", refused.headers().firstValue("Retry-After").orElse(""));
    assertTrue(
        new String(refused.body(), StandardCharsets.UTF_8)
            .contains("the queue of model digits is full with 2 images"));
    held.countDown();
    for (var each : waiting) {
      assertEquals(200, each.get(60, TimeUnit.SECONDS).statusCode());
    }
    await(() -> server.depth() == 0);
    assertEquals(200, post(server).get(60, TimeUnit.SECONDS).statusCode());
  }

  @Test
  void aClientThatHasGoneCostsNothing() throws Exception {
    ModelServer server = heldServer(Limits.usual().withTimes(LONG, LONG));
    byte[] image = Digits.png(1);
    try (var wire = new Wire(server)) {
      wire.send(Wire.joined(Wire.head(CLASSIFY, image.length) + "\r\n", image));
      await(() -> server.depth() == 1);
    }
    await(() -> server.connections().count() == 0);
    assertEquals(0, server.connections().held());
    held.countDown();
    await(() -> server.depth() == 0);
    String metrics = new String(Digits.get(server, "/metrics").body(), StandardCharsets.UTF_8);
    assertTrue(metrics.contains("fathom_rejections_total{reason=\"gone\"} 1.0"), metrics);
    assertTrue(!metrics.contains("fathom_batch_images_count"), "it was predicted: " + metrics);
  }

  @Test
  void whatIsNotAnsweredInTimeIsRefused() throws Exception {
    ModelServer server = heldServer(Limits.usual().withTimes(LONG, Duration.ofMillis(200)));
    HttpResponse<byte[]> late = post(server).get(60, TimeUnit.SECONDS);
    assertEquals(503, late.statusCode());
    assertTrue(new String(late.body(), StandardCharsets.UTF_8).contains("was not there within"));
    held.countDown();
    await(() -> server.depth() == 0);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "POST /v2/mod",
        "POST /v2/models/digits/classify HTTP/1.1\r\nHost: x\r\nContent-Le",
        "POST /v2/models/digits/classify HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc",
        "POST /v2/models/digits/classify HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        "POST /v2/models/none/classify HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc",
      })
  void whoIsTooSlowIsTold(String start) throws Exception {
    ModelServer server = server(Limits.usual().withTimes(Duration.ofMillis(300), LONG));
    try (var wire = new Wire(server)) {
      String came = wire.send(start).all();
      assertEquals(List.of(408), Wire.statuses(came), came);
      assertTrue(came.contains("connection: close"), came);
    }
    await(() -> server.connections().count() == 0);
    assertEquals(0, server.connections().held());
  }

  /// Who says nothing is told nothing.
  @Test
  void aSilentConnectionIsClosed() throws Exception {
    ModelServer server = server(Limits.usual().withTimes(Duration.ofMillis(300), LONG));
    try (var wire = new Wire(server)) {
      assertEquals("", wire.all());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"Content-Length: 2000", "Transfer-Encoding: chunked"})
  void aBodyThatIsTooLargeIsRefused(String length) throws Exception {
    ModelServer server = server(Limits.usual().withBody(1000));
    try (var wire = new Wire(server)) {
      wire.send("POST %s HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n".formatted(CLASSIFY, length));
      wire.send("7d0\r\n" + "a".repeat(2000) + "\r\n0\r\n\r\n");
      String came = wire.until("smaller image");
      assertEquals(413, Wire.statuses(came).getFirst(), came);
    }
    assertEquals(200, post(server).get(60, TimeUnit.SECONDS).statusCode());
  }

  @Test
  void allBodiesTogetherAreBounded() throws Exception {
    Limits usual = Limits.usual();
    ModelServer server =
        server(new Limits(1, 4, 10, 1000, 1000, LONG, LONG, LONG, usual.draining()));
    try (var first = new Wire(server);
        var second = new Wire(server)) {
      first.send(Wire.head(CLASSIFY, 900) + "\r\n" + "a".repeat(600));
      await(() -> server.connections().held() == 600);
      String came = second.send(Wire.head(CLASSIFY, 900) + "\r\n" + "a".repeat(600)).all();
      assertEquals(List.of(503), Wire.statuses(came), came);
    }
    await(() -> server.connections().held() == 0);
    assertEquals(200, post(server).get(60, TimeUnit.SECONDS).statusCode());
  }

  /// Those without a request make room; where all have one, the new one is refused.
  @Test
  void connectionsAreBounded() throws Exception {
    ModelServer server = server(Limits.usual().withConnections(2).withTimes(LONG, LONG));
    try (var idle = new Wire(server);
        var busy = new Wire(server)) {
      busy.send(Wire.head(CLASSIFY, 900) + "\r\nabc");
      await(() -> server.connections().count() == 2 && server.connections().held() == 3);
      byte[] image = Digits.png(1);
      try (var third = new Wire(server)) {
        byte[] request =
            Wire.joined(Wire.head(CLASSIFY, image.length) + "Connection: close\r\n\r\n", image);
        third.send(Arrays.copyOf(request, request.length - 1));
        assertEquals("", idle.all(), "it made room");
        await(() -> server.connections().held() == 3 + image.length - 1);
        assertEquals(2, server.connections().count());
        try (var fourth = new Wire(server)) {
          assertEquals(List.of(503), Wire.statuses(fourth.all()));
        }
        third.send(Arrays.copyOfRange(request, request.length - 1, request.length));
        assertEquals(List.of(200), Wire.statuses(third.all()));
      }
    }
  }

  @Test
  void requestsMayFollowEachOtherAtOnceAndWaitForAPermission() throws Exception {
    ModelServer server = server(Limits.usual());
    byte[] image = Digits.png(1);
    try (var wire = new Wire(server)) {
      byte[] one = Wire.joined(Wire.head(CLASSIFY, image.length) + "\r\n", image);
      for (int i = 0; i < 30; i++) {
        wire.send(one);
      }
      wire.send("HEAD /v2 HTTP/1.1\r\nHost: x\r\n\r\n");
      wire.send(
          Wire.head(CLASSIFY, image.length) + "Expect: 100-continue\r\nConnection: close\r\n\r\n");
      String before = wire.until("100 Continue\r\n\r\n");
      String after = wire.send(image).all();
      List<Integer> statuses = Wire.statuses(before + after);
      assertEquals(33, statuses.size(), before);
      assertEquals(List.of(200, 100, 200), statuses.subList(30, 33));
      assertTrue(statuses.subList(0, 30).stream().allMatch(s -> s == 200), statuses.toString());
    }
  }

  @Test
  void aLimitAdmitsSomething() {
    for (Runnable wrong :
        List.<Runnable>of(
            () -> Limits.usual().withBatch(0),
            () -> Limits.usual().withQueue(8, 7),
            () -> Limits.usual().withConnections(0),
            () -> Limits.usual().withBody(0),
            () -> Limits.usual().withTimes(Duration.ZERO, LONG),
            () -> Digits.settings().at("127.0.0.1", 1 << 16),
            () -> Digits.settings().withToken(" "),
            () -> ModelServer.start(Digits.settings(), Map.of()),
            () -> ModelServer.start(Digits.settings(), Map.of("a/b", () -> null)))) {
      assertThrows(IllegalArgumentException.class, wrong::run);
    }
  }
}
