package fathom.serve;

import fathom.io.Json;
import fathom.io.Shown;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Objects;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;

/// A line of JSON for each request, written by a thread of its own. If what it writes to takes
/// nothing for a while, lines are left out, and the next one says how many: nobody waits for a log.
final class AccessLog implements AutoCloseable {
  private static final int MOST_WAITING = 10_000;
  private static final int LONGEST = 500;

  /// What stands in a line. `lost` is the number of lines before it that were left out.
  record Line(
      String time,
      String remote,
      String method,
      String path,
      int status,
      double milliseconds,
      long received,
      long sent,
      int lost) {}

  private final LinkedBlockingQueue<Line> waiting = new LinkedBlockingQueue<>(MOST_WAITING);
  private final @Nullable OutputStream out;
  private final Thread thread =
      Thread.ofPlatform().name("fathom-serve-log").daemon().unstarted(this::write);
  private int lost;

  AccessLog(@Nullable OutputStream out) {
    this.out = out;
    if (out != null) {
      thread.start();
    }
  }

  void add(
      String remote,
      String method,
      String target,
      int status,
      long nanos,
      long received,
      long sent) {
    if (out == null) {
      return;
    }
    String path = Shown.message(target.length() > LONGEST ? target.substring(0, LONGEST) : target);
    synchronized (this) {
      var line =
          new Line(
              Instant.now().toString(),
              remote,
              method,
              path,
              status,
              Math.round(nanos / 1e3) / 1e3,
              received,
              sent,
              lost);
      lost = waiting.offer(line) ? 0 : lost + 1;
    }
  }

  private void write() {
    OutputStream to = Objects.requireNonNull(out);
    try {
      while (true) {
        put(to, waiting.take());
      }
    } catch (InterruptedException e) {
      for (Line line = waiting.poll(); line != null; line = waiting.poll()) {
        put(to, line);
      }
    }
  }

  private void put(OutputStream to, Line line) {
    try {
      to.write((Json.text(line) + "\n").getBytes(StandardCharsets.UTF_8));
      if (waiting.isEmpty()) {
        to.flush();
      }
    } catch (IOException e) {
      synchronized (this) { // a full disk stops no service; the next line says what is missing
        lost++;
      }
    }
  }

  /// Writes what waits, for at most a second.
  @Override
  public void close() {
    try {
      thread.interrupt();
      thread.join(1000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
