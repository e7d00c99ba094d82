package fathom.data;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import fathom.RandomKey;
import fathom.io.BadFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import org.junit.jupiter.api.function.Executable;

/// What a reader must bear: a file cut short and a file with a few wrong bytes.
final class Damage {
  private Damage() {}

  /// Reading must fail with [BadFileException] when `file` is cut to any length but its own and
  /// those that are a positive multiple of `record`.
  static void cut(Path file, int record, Executable read) throws IOException {
    byte[] whole = Files.readAllBytes(file);
    int step = Math.max(1, whole.length / 400);
    for (int length = 0; length < whole.length; length += length < 100 ? 1 : step) {
      if (length == 0 || length % record != 0) {
        Files.write(file, Arrays.copyOf(whole, length));
        assertThrows(BadFileException.class, read, "cut to %s bytes".formatted(length));
      }
    }
    Files.write(file, whole);
    assertDoesNotThrow(read);
  }

  /// Reading must succeed or fail with [BadFileException] when one to three bytes of `file` are
  /// others; half of the time they are among the first 64.
  static void mutate(Path file, int times, Executable read) throws IOException {
    byte[] whole = Files.readAllBytes(file);
    for (int t = 0; t < times; t++) {
      RandomKey key = RandomKey.of(t, "damage");
      byte[] damaged = whole.clone();
      for (int i = 0; i <= key.below(0, 3); i++) {
        int reach = key.bits(3 * i + 1) < 0 ? Math.min(64, whole.length) : whole.length;
        damaged[key.below(3 * i + 2, reach)] = (byte) key.bits(3 * i + 3);
      }
      // Without TRUNCATE_EXISTING, after which some file systems wait for the disk.
      Files.write(file, damaged, StandardOpenOption.WRITE);
      try {
        read.execute();
      } catch (Throwable e) {
        assertInstanceOf(BadFileException.class, e, "mutation %s of %s".formatted(t, file));
      }
    }
    Files.write(file, whole);
  }
}
