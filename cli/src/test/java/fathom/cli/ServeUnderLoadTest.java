package fathom.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.data.DataSet;
import fathom.data.Png;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A process that serves, with more clients than it has cores: its model is loaded again, and then
/// it gets SIGTERM. With `-Dfathom.long` there are ten such processes, and fifty models loaded.
class ServeUnderLoadTest {
  private static final boolean LONG = Boolean.getBoolean("fathom.long");
  private static final int PROCESSES = LONG ? 10 : 1;
  private static final int LOADS = LONG ? 5 : 1;
  private static final int CLIENTS = 16;
  private static final int ANSWERS = LONG ? 500 : 50;

  @TempDir private static Path folder;

  private final byte[] image = Png.of(DataSet.open("digits").test().images(), 0);

  /// Clients on sockets, which see every way in which a request can be lost. Half of them come anew
  /// for each request; the others stay on their connection until it is said to close.
  private final class Clients {
    final Map<Integer, LongAdder> answers = new ConcurrentHashMap<>();
    final ConcurrentLinkedQueue<String> lost = new ConcurrentLinkedQueue<>();
    private final List<Thread> threads = new ArrayList<>();

    Clients(URI at) {
      for (int i = 0; i < CLIENTS; i++) {
        boolean stays = i % 2 == 0;
        threads.add(Thread.ofPlatform().start(() -> visit(at, stays)));
      }
    }

    private void visit(URI at, boolean stays) {
      while (true) {
        try (var socket = new Socket()) {
          socket.setSoTimeout(60_000);
          try {
            socket.connect(new InetSocketAddress(at.getHost(), at.getPort()));
          } catch (ConnectException e) {
            return; // nobody listens any more
          }
          boolean goesOn = true;
          while (goesOn) {
            String head = ask(socket, "digits/classify", image, stays);
            answers.computeIfAbsent(status(head), _ -> new LongAdder()).increment();
            goesOn = stays && !head.contains("connection: close");
          }
        } catch (IOException e) {
          lost.add(e.toString());
          return;
        }
      }
    }

    long answered() {
      return answers.values().stream().mapToLong(LongAdder::sum).sum();
    }

    void join() throws InterruptedException {
      for (Thread thread : threads) {
        thread.join();
      }
    }
  }

  /// Posts on this connection, and returns the head of the answer in lower case.
  private static String ask(Socket socket, String what, byte[] body, boolean stays)
      throws IOException {
    String head =
        "POST /v2/models/%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %s\r\n%s\r\n"
            .formatted(what, body.length, stays ? "" : "Connection: close\r\n");
    byte[] request = new byte[head.length() + body.length];
    System.arraycopy(head.getBytes(StandardCharsets.US_ASCII), 0, request, 0, head.length());
    System.arraycopy(body, 0, request, head.length(), body.length);
    socket.getOutputStream().write(request);
    return answer(socket.getInputStream());
  }

  private static String answer(InputStream in) throws IOException {
    var head = new StringBuilder();
    while (head.indexOf("\r\n\r\n") < 0) {
      int next = in.read();
      if (next < 0) {
        throw new IOException("closed without an answer, after '" + head + "'");
      }
      head.append(Character.toLowerCase((char) next));
    }
    int length =
        Integer.parseInt(head.toString().replaceAll("(?s).*content-length: (\\d+).*", "$1"));
    if (in.readNBytes(length).length < length) {
      throw new IOException("half an answer");
    }
    return head.toString();
  }

  private static int status(String head) {
    return Integer.parseInt(head.split(" ")[1]);
  }

  @Test
  void nothingIsLost() throws Exception {
    Cli.trainOnDigits(folder.resolve("digits"));
    var before = new TreeMap<Integer, Long>();
    var after = new TreeMap<Integer, Long>();
    for (int i = 0; i < PROCESSES; i++) {
      var program =
          new ProcessBuilder(
                  Cli.command(
                      System.getProperty("java.class.path"),
                      List.of("serve", folder.resolve("digits").toString(), "--port", "0")))
              .redirectError(folder.resolve("err").toFile());
      // A container may have no place for temporary files.
      program
          .environment()
          .put("JDK_JAVA_OPTIONS", "-Djava.io.tmpdir=" + folder.resolve("missing"));
      Process server = program.start();
      try (var out = server.inputReader()) {
        String line = String.valueOf(out.readLine());
        URI at = URI.create(line.substring(line.lastIndexOf(' ') + 1));
        var clients = new Clients(at);
        for (int k = 0; k < LOADS; k++) {
          loadAgain(at);
        }
        await(clients, ANSWERS);
        add(before, clients);
        server.toHandle().destroy();
        assertTrue(server.waitFor(60, TimeUnit.SECONDS), "it does not stop");
        clients.join();
        add(after, clients);
        assertEquals(List.of(), List.copyOf(clients.lost));
        assertEquals(Exit.DONE, server.exitValue());
      } finally {
        server.destroyForcibly();
      }
    }
    assertEquals(Set.of(200), before.keySet(), "until SIGTERM");
    assertTrue(Set.of(200, 503).containsAll(after.keySet()), after.toString());
    if (LONG) {
      System.out.printf(
          Locale.ROOT,
          "%s processes, %s models loaded again: %s until SIGTERM, %s in all, none lost%n",
          PROCESSES,
          PROCESSES * LOADS,
          before,
          after);
    }
  }

  private static void loadAgain(URI at) throws IOException {
    try (var socket = new Socket(at.getHost(), at.getPort())) {
      String request =
          "POST /v2/repository/models/digits/load HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n";
      socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
      assertEquals(200, status(answer(socket.getInputStream())));
    }
  }

  private static void await(Clients clients, int more) throws InterruptedException {
    long until = clients.answered() + more;
    while (clients.answered() < until && clients.lost.isEmpty()) {
      Thread.sleep(5);
    }
  }

  private static void add(Map<Integer, Long> all, Clients clients) {
    clients.answers.forEach((status, count) -> all.merge(status, count.sum(), Long::sum));
  }
}
