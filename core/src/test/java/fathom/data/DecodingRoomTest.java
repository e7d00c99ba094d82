package fathom.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.DeviceException;
import java.awt.image.BufferedImage;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DecodingRoomTest {
  @TempDir Path dir;

  /// Eight threads, each of which takes its share a hundred times, and one that needs more than
  /// there is.
  @Test
  void noMoreIsTakenThanThereIsExceptByOneThatIsAlone() throws Exception {
    var room = new DecodingRoom(() -> 100);
    var taken = new AtomicLong();
    var done = new AtomicInteger();
    try (var threads = Executors.newFixedThreadPool(8)) {
      var all = new ArrayList<Future<?>>();
      for (int i = 0; i < 800; i++) {
        long bytes = i % 100 == 50 ? 150 : 20 + i % 30;
        all.add(
            threads.submit(() ->
                room.with(
                    bytes,
                    () -> {
                      long now = taken.addAndGet(bytes);
                      assertTrue(now <= 100 || now == bytes, now + " are taken");
                      Thread.onSpinWait();
                      taken.addAndGet(-bytes);
                      return done.incrementAndGet();
                    })));
      }
      for (Future<?> each : all) {
        each.get();
      }
    }
    assertEquals(800, done.get());
  }

  @Test
  void whatFailsForMemoryIsTriedAgainAlone() {
    var room = new DecodingRoom(() -> 100);
    var tries = new AtomicInteger();
    assertEquals(
        2,
        room.with(
            10,
            () -> {
              if (tries.incrementAndGet() == 1) {
                throw new OutOfMemoryError("others have it");
              }
              return tries.get();
            }));
    assertThrows(
        OutOfMemoryError.class,
        () ->
            room.with(
                10,
                () -> {
                  tries.incrementAndGet();
                  throw new OutOfMemoryError("nobody has it");
                }));
    assertEquals(4, tries.get());
    assertEquals("free again", room.with(100, () -> "free again"));
  }

  /// An image takes 27 MB, so that a heap holds only some of them at once.
  @ParameterizedTest
  @CsvSource({
    "1, 120m, 8 of 8×3×16×16",
    "8, 120m, 8 of 8×3×16×16",
    "8, 16m, the image of 3000×3000 pixels needs about 26 MB"
  })
  void whatIsReadDependsOnTheHeapAndNotOnTheThreads(String cores, String heap, String said)
      throws Exception {
    Path first = Files.createDirectories(dir.resolve("train").resolve("a")).resolve("0.png");
    ImageIO.write(
        new BufferedImage(3000, 3000, BufferedImage.TYPE_3BYTE_BGR), "png", first.toFile());
    for (int i = 1; i < 8; i++) {
      Files.copy(first, first.resolveSibling(i + ".png"));
    }
    Files.copy(first, Files.createDirectories(dir.resolve("test").resolve("a")).resolve("8.png"));
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "@" + System.getProperty("fathom.jvm.args"),
                "-Xmx" + heap,
                "-XX:ActiveProcessorCount=" + cores,
                "-cp",
                System.getProperty("java.class.path"),
                DecodingRoomTest.class.getName(),
                dir.toString())
            .redirectErrorStream(true)
            .start();
    String answer = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(answer.contains(said), answer);
  }

  /// Says what can be read of a folder.
  public static void main(String[] args) {
    var out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    try {
      DataSet data = DataSet.open("images:" + args[0], new ImageReadOptions(16, false));
      out.println(data.train().images().count() + " of " + data.train());
    } catch (DeviceException e) {
      out.println(e.getMessage());
    }
  }
}
