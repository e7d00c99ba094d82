package fathom.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.Tensor;
import fathom.data.Png;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.IntStream;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;

/// Requests that mean no good: a few hundred in each check, ten thousand in a long one. Whatever
/// they are, the server refuses them with a status of its own, holds nothing afterwards, and
/// answers the next one.
class HostileTest {
  private static final boolean LONG = Boolean.getBoolean("fathom.long");
  private static final int REQUESTS = LONG ? 10_000 : 400;
  private static final int CLIENTS = 8;
  private static final Set<Integer> ALLOWED =
      Set.of(100, 200, 400, 403, 404, 405, 408, 413, 414, 431, 503);
  private static final String CLASSIFY = "/v2/models/digits/classify";
  private static final String INFER = "/v2/models/digits/infer";
  private static final String TENSOR =
      "{\"id\":\"a\",\"inputs\":[{\"name\":\"pictures\",\"datatype\":\"FP32\",\"shape\":[1,1,8,8],\"data\":%s}]}";

  /// Returns a request with this as the data of its tensor.
  private static String tensor(String data) {
    return TENSOR.replace("%s", data);
  }

  private static final List<String> NO_HTTP =
      List.of(
          "\r\n\r\n",
          "GET\r\n\r\n",
          "GET / HTTP/9.9\r\n\r\n",
          "G\0T / HTTP/1.1\r\n\r\n",
          "GET /%zz HTTP/1.1\r\n\r\n",
          "GET /v2?a=%f HTTP/1.1\r\n\r\n",
          "GET /../../etc/passwd HTTP/1.1\r\n\r\n",
          "GET / HTTP/1.1\r\nHost x\r\n\r\n",
          "GET / HTTP/1.1\r\n: x\r\n\r\n",
          "POST " + CLASSIFY + " HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
          "POST " + CLASSIFY + " HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
          "POST "
              + CLASSIFY
              + " HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc",
          "POST " + CLASSIFY + " HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc",
          "POST "
              + CLASSIFY
              + " HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nabc",
          "POST " + CLASSIFY + " HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
          "POST " + CLASSIFY + " HTTP/1.1\r\nExpect: something\r\nContent-Length: 3\r\n\r\nabc",
          "CONNECT example.org:80 HTTP/1.1\r\n\r\n",
          "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
          "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003");

  private final Map<Integer, LongAdder> statuses = new ConcurrentHashMap<>();
  private final byte[] bomb = Png.of(new BufferedImage(7000, 7000, BufferedImage.TYPE_BYTE_BINARY));

  private interface Attack {
    void on(Wire wire, Random random) throws Exception;
  }

  private final List<Attack> attacks =
      List.of(
          // truncated
          (wire, random) -> {
            byte[] whole = valid(random.nextInt(100));
            wire.send(Arrays.copyOf(whole, random.nextInt(whole.length)));
          },
          // slow
          (wire, random) -> {
            byte[] whole = valid(random.nextInt(100));
            int cut = 1 + random.nextInt(whole.length - 1);
            wire.send(Arrays.copyOf(whole, cut));
            if (random.nextInt(4) == 0) {
              note(wire.all());
            } else {
              Thread.sleep(random.nextInt(30));
              wire.send(Arrays.copyOfRange(whole, cut, whole.length - 1));
            }
          },
          // says that it is huge
          (wire, random) -> {
            wire.send(
                Wire.head(CLASSIFY, Integer.MAX_VALUE) + "\r\n" + "a".repeat(random.nextInt(9999)));
            note(wire.all());
          },
          // is huge
          (wire, random) -> {
            byte[] much = new byte[1 << 20];
            wire.send("POST " + CLASSIFY + " HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
            try {
              for (int i = 0; i < 4; i++) {
                wire.send("100000\r\n").send(much).send("\r\n");
              }
            } catch (IOException e) {
              // the server has had enough
            }
            note(wire.all());
          },
          // is no HTTP
          (wire, random) -> {
            wire.send(NO_HTTP.get(random.nextInt(NO_HTTP.size())));
            note(wire.all());
          },
          // has too long a line or header
          (wire, random) -> {
            String filling = "a".repeat(3000 + random.nextInt(20_000));
            try {
              wire.send(
                  random.nextBoolean()
                      ? "GET /" + filling + " HTTP/1.1\r\n\r\n"
                      : "GET / HTTP/1.1\r\nX: " + filling + "\r\nConnection: close\r\n\r\n");
            } catch (IOException e) {
              // the server has had enough
            }
            note(wire.all());
          },
          // any bytes
          (wire, random) -> {
            byte[] any = new byte[random.nextInt(3000)];
            random.nextBytes(any);
            post(wire, random.nextBoolean() ? INFER : CLASSIFY, "image/png", any);
          },
          // a damaged image
          (wire, random) -> {
            byte[] image = Digits.png(random.nextInt(100));
            for (int i = 0; i <= random.nextInt(5); i++) {
              image[random.nextInt(image.length)] = (byte) random.nextInt();
            }
            post(wire, CLASSIFY + "?top=" + (random.nextInt(5) - 1), "image/png", image);
          },
          // a bomb
          (wire, random) -> {
            byte[] image = Digits.png(0);
            if (random.nextInt(20) == 0) {
              image = bomb;
            } else { // says that it has any size
              ByteBuffer.wrap(image)
                  .putInt(16, random.nextInt(1 << 17))
                  .putInt(20, random.nextInt(1 << 17));
              var sum = new CRC32();
              sum.update(image, 12, 17);
              ByteBuffer.wrap(image).putInt(29, (int) sum.getValue());
            }
            post(wire, CLASSIFY, "image/png", image);
          },
          // a damaged form
          (wire, random) -> {
            byte[] form = form(random);
            for (int i = 0; i < random.nextInt(8); i++) {
              form[random.nextInt(form.length)] = (byte) random.nextInt();
            }
            byte[] part =
                Arrays.copyOf(
                    form, random.nextInt(4) == 0 ? random.nextInt(form.length) : form.length);
            String type =
                switch (random.nextInt(5)) {
                  case 0 -> "multipart/form-data";
                  case 1 -> "multipart/form-data; boundary=";
                  case 2 -> "multipart/mixed; boundary=line";
                  default -> "multipart/form-data; boundary=line";
                };
            post(wire, CLASSIFY, type, part);
          },
          // damaged JSON
          (wire, random) -> {
            String text =
                switch (random.nextInt(6)) {
                  case 0 -> "[".repeat(100_000);
                  case 1 -> "{\"a\":".repeat(50_000);
                  case 2 -> tensor("[".repeat(5000) + "1" + "]".repeat(5000));
                  case 3 -> tensor("[" + "9".repeat(5000) + "]");
                  case 4 -> tensor("[" + "0,".repeat(100_000) + "0]");
                  default -> tensor("[" + "0,".repeat(63) + "0]");
                };
            byte[] json = text.getBytes(StandardCharsets.UTF_8);
            if (random.nextBoolean()) {
              json[random.nextInt(json.length)] = (byte) random.nextInt();
            }
            post(wire, INFER, "application/json", json);
          },
          // a length of the JSON that is none
          (wire, random) -> {
            byte[] body = tensor("[1]").getBytes(StandardCharsets.UTF_8);
            String length =
                List.of("-1", "x", "99999999999", "" + body.length, "7", "").get(random.nextInt(6));
            wire.send(
                Wire.joined(
                    Wire.head(INFER, body.length)
                        + "Inference-Header-Content-Length: "
                        + length
                        + "\r\nConnection: close\r\n\r\n",
                    body));
            note(wire.all());
          });

  private void note(String came) {
    for (int status : Wire.statuses(came)) {
      statuses.computeIfAbsent(status, _ -> new LongAdder()).increment();
    }
  }

  private void post(Wire wire, String path, String type, byte[] body) throws IOException {
    wire.send(
        Wire.joined(
            Wire.head(path, body.length)
                + "Content-Type: "
                + type
                + "\r\nConnection: close\r\n\r\n",
            body));
    String came = wire.all();
    assertEquals(1, Wire.statuses(came).size(), path + " " + type + " was answered by " + came);
    note(came);
  }

  private static byte[] valid(int i) {
    byte[] image = Digits.png(i);
    return Wire.joined(Wire.head(CLASSIFY, image.length) + "\r\n", image);
  }

  private static byte[] form(Random random) {
    var form = new StringBuilder();
    for (int i = 0; i < random.nextInt(4); i++) {
      form.append("--line\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.png\"\r\n")
          .append("Content-Type: image/png\r\n\r\n")
          .append(new String(Digits.png(i), StandardCharsets.ISO_8859_1))
          .append("\r\n");
    }
    return form.append("--line--\r\n").toString().getBytes(StandardCharsets.ISO_8859_1);
  }

  @Test
  void nothingHarmsTheServer() throws Exception {
    Limits usual = Limits.usual();
    var soon = Duration.ofSeconds(2);
    var limits =
        new Limits(
            usual.batch(),
            usual.queue(),
            usual.connections(),
            3 << 20,
            usual.bodies(),
            soon,
            Duration.ofSeconds(60),
            soon,
            usual.draining());
    long before = Tensor.liveBytes();
    try (ModelServer server = Digits.server(Digits.settings().withLimits(limits))) {
      long tensors = Tensor.liveBytes();
      byte[] right = Digits.classify(server, 3).body();
      int threads = Thread.activeCount();
      try (var clients = Executors.newFixedThreadPool(CLIENTS)) {
        var all =
            IntStream.range(0, REQUESTS)
                .mapToObj(i ->
                    clients.submit(() -> {
                      try (var wire = new Wire(server)) {
                        attacks.get(i % attacks.size()).on(wire, new Random(i));
                      }
                      return i;
                    }))
                .toList();
        for (var each : all) {
          each.get();
        }
      }
      assertEquals(
          new String(right, StandardCharsets.UTF_8),
          new String(Digits.classify(server, 3).body(), StandardCharsets.UTF_8));
      assertTrue(ALLOWED.containsAll(statuses.keySet()), new TreeMap<>(statuses).toString());
      for (int seen : new int[] {200, 400, 408, 413, 414, 431}) {
        assertTrue(statuses.containsKey(seen), seen + " of " + new TreeMap<>(statuses));
      }
      for (int i = 0; i < 1000 && server.connections().count() > 2; i++) {
        Thread.sleep(10); // the client that asked last keeps its connections
      }
      assertTrue(server.connections().count() <= 2, server.connections().count() + " are open");
      assertEquals(0, server.connections().held());
      assertEquals(0, server.depth());
      assertTrue(Thread.activeCount() <= threads + CLIENTS, "threads were left");
      assertTrue(Tensor.liveBytes() <= tensors + (1 << 20), "tensors were left");
    }
    assertEquals(before, Tensor.liveBytes());
    if (LONG) {
      System.out.printf(
          Locale.ROOT,
          "%s requests of %s kinds: %s%n",
          REQUESTS,
          attacks.size(),
          new TreeMap<>(statuses));
    }
  }
}
