package fathom.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.Tensor;
import fathom.infer.ImageClassifier;
import fathom.io.BadFileException;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.junit.jupiter.api.Test;

/// Many clients at a time: more than are answered, while models are loaded, while the server stops.
class LoadTest {
  private static final boolean LONG = Boolean.getBoolean("fathom.long");

  /// Clients that post one image after the other, and what they were answered.
  private static final class Clients {
    private final Map<Integer, LongAdder> answers = new ConcurrentHashMap<>();
    private final Map<String, LongAdder> failures = new ConcurrentHashMap<>();
    private final AtomicInteger asked = new AtomicInteger();
    private final AtomicBoolean over = new AtomicBoolean();
    private final List<Thread> threads = new ArrayList<>();
    private volatile boolean mayFail;

    Clients(ModelServer server, int count) {
      for (int i = 0; i < count; i++) {
        int first = i;
        threads.add(Thread.ofVirtual().start(() -> ask(server, first)));
      }
    }

    private void ask(ModelServer server, int first) {
      try (HttpClient client = HttpClient.newHttpClient()) {
        for (int i = first; !over.get(); i++) {
          boolean failing = mayFail;
          try {
            asked.incrementAndGet();
            HttpResponse<byte[]> answer =
                client.send(
                    Digits.request(server.address(), "/v2/models/digits/classify", Digits.png(i))
                        .build(),
                    BodyHandlers.ofByteArray());
            answers.computeIfAbsent(answer.statusCode(), _ -> new LongAdder()).increment();
          } catch (IOException e) {
            if (failing || mayFail) {
              return;
            }
            failures.computeIfAbsent(e.toString(), _ -> new LongAdder()).increment();
          } catch (InterruptedException e) {
            return;
          }
        }
      }
    }

    Map<Integer, LongAdder> stop() throws InterruptedException {
      over.set(true);
      for (Thread thread : threads) {
        thread.join();
      }
      assertEquals(Map.of(), failures);
      return new TreeMap<>(answers);
    }
  }

  @Test
  void underTooMuchLoadSomeAreRefusedAndThenNoneIs() throws Exception {
    Limits limits = Limits.usual().withQueue(4, 8);
    long before = Tensor.liveBytes();
    try (ModelServer server = Digits.server(Digits.settings().withLimits(limits))) {
      long served = Tensor.liveBytes();
      var clients = new Clients(server, 40);
      Thread.sleep(LONG ? 60_000 : 1500);
      Map<Integer, LongAdder> answers = clients.stop();
      assertEquals(Set.of(200, 503), answers.keySet());
      for (int i = 0; i < 20; i++) {
        assertEquals(200, Digits.classify(server, i).statusCode());
      }
      assertEquals(0, server.depth());
      assertEquals(0, server.connections().held());
      assertTrue(Tensor.liveBytes() <= served + (1 << 20), "tensors were left");
    }
    assertEquals(before, Tensor.liveBytes());
  }

  @Test
  void aModelIsLoadedAgainAndNobodyNotices() throws Exception {
    int times = LONG ? 50 : 5;
    long before = Tensor.liveBytes();
    try (ModelServer server = Digits.server(Digits.settings())) {
      var clients = new Clients(server, 8);
      for (int i = 0; i < times; i++) {
        HttpResponse<byte[]> loaded =
            Digits.post(server, "/v2/repository/models/digits/load", new byte[0]);
        assertEquals(200, loaded.statusCode());
      }
      assertEquals(times + 2, server.reload("digits"));
      Map<Integer, LongAdder> answers = clients.stop();
      assertEquals(Set.of(200), answers.keySet(), answers.toString());
      assertTrue(answers.get(200).sum() > times);
      assertEquals(
          200, Digits.get(server, "/v2/models/digits/versions/" + (times + 2)).statusCode());
    }
    assertEquals(before, Tensor.liveBytes(), "a version was not freed");
  }

  /// What cannot be loaded changes nothing.
  @Test
  void aDamagedFileIsRefusedAndTheModelStays() throws Exception {
    var damaged = new AtomicBoolean();
    try (ModelServer server =
        ModelServer.start(
            Digits.settings(),
            Map.of(
                "digits",
                () -> {
                  if (damaged.get()) {
                    throw new BadFileException(Path.of("net.safetensors"), "it is damaged");
                  }
                  return ImageClassifier.open(Digits.RUN);
                }))) {
      damaged.set(true);
      HttpResponse<byte[]> refused =
          Digits.post(server, "/v2/repository/models/digits/load", new byte[0]);
      assertEquals(400, refused.statusCode());
      assertTrue(
          new String(refused.body(), StandardCharsets.UTF_8)
              .contains("net.safetensors: it is damaged"));
      assertEquals(200, Digits.classify(server, 0).statusCode());
      assertEquals(200, Digits.get(server, "/v2/models/digits/versions/1").statusCode());
    }
  }

  /// Whoever asked before the server began to stop is answered.
  @Test
  void stoppingLosesNobody() throws Exception {
    for (int i = 0; i < (LONG ? 20 : 2); i++) {
      ModelServer server = Digits.server(Digits.settings());
      var clients = new Clients(server, 12);
      while (clients.asked.get() < 60) {
        Thread.sleep(5);
      }
      clients.mayFail = true; // from here on connections are closed before they are used
      server.close();
      Map<Integer, LongAdder> answers = clients.stop();
      assertTrue(answers.containsKey(200), answers.toString());
      assertTrue(Set.of(200, 503).containsAll(answers.keySet()), answers.toString());
      assertEquals(0, server.depth());
      server.close();
    }
  }

  /// Whoever got a connection is answered on it, or finds it closed in order: none is reset,
  /// neither those that the server had accepted nor those that only the system had. Some clients
  /// come anew for each request, some stay as long as they may, and some say nothing.
  @Test
  void stoppingResetsNobody() throws Exception {
    int statuses = 0;
    for (int i = 0; i < (LONG ? 30 : 4); i++) {
      ModelServer server = Digits.server(Digits.settings());
      URI at = server.address();
      var wrong = new ConcurrentLinkedQueue<String>();
      var answers = new AtomicInteger();
      var threads = new ArrayList<Thread>();
      for (int c = 0; c < 36; c++) {
        int kind = c % 9 == 8 ? 2 : c % 2;
        threads.add(Thread.ofPlatform().start(() -> visit(at, kind, answers, wrong)));
      }
      while (answers.get() < 100) {
        Thread.sleep(2);
      }
      server.close();
      for (Thread thread : threads) {
        thread.join();
      }
      assertEquals(List.of(), List.copyOf(wrong));
      statuses += answers.get();
    }
    assertTrue(statuses > 0);
  }

  /// Connects and asks until nobody listens any more.
  private static void visit(
      URI at, int kind, AtomicInteger answers, ConcurrentLinkedQueue<String> wrong) {
    byte[] image = Digits.png(kind);
    byte[] request =
        Wire.joined(
            Wire.head("/v2/models/digits/classify", image.length)
                + (kind == 0 ? "Connection: close\r\n\r\n" : "\r\n"),
            image);
    while (true) {
      try (var socket = new Socket()) {
        socket.setSoTimeout(60_000);
        try {
          socket.connect(new InetSocketAddress(at.getHost(), at.getPort()));
        } catch (ConnectException e) {
          return;
        }
        InputStream in = socket.getInputStream();
        boolean stays = kind != 2;
        while (stays) {
          socket.getOutputStream().write(request);
          String head = head(in);
          int status = Wire.statuses(head).getFirst();
          if (status != 200 && status != 503) {
            wrong.add(head);
          }
          answers.incrementAndGet();
          stays = !head.contains("connection: close") && kind == 1;
        }
        if (in.read() >= 0) {
          wrong.add("there was more than an answer");
        }
      } catch (IOException e) {
        wrong.add("kind " + kind + ": " + e);
        return;
      }
    }
  }

  /// Returns the head of an answer and reads its body.
  private static String head(InputStream in) throws IOException {
    var head = new StringBuilder();
    while (head.indexOf("\r\n\r\n") < 0) {
      int next = in.read();
      if (next < 0) {
        throw new IOException("closed without an answer, after '" + head + "'");
      }
      head.append((char) next);
    }
    int length =
        Integer.parseInt(head.toString().replaceAll("(?s).*content-length: (\\d+).*", "$1"));
    if (in.readNBytes(length).length < length) {
      throw new IOException("half an answer");
    }
    return head.toString();
  }
}
