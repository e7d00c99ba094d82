package fathom.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.RandomKey;
import fathom.io.BadFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CifarTest {
  @TempDir Path dir;

  /// `count` records whose labels go round from `label` on.
  private static byte[] records(int label, int count) {
    byte[] bytes = new byte[count * 3073];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] =
          (byte) (i % 3073 == 0 ? (label + i / 3073) % 10 : RandomKey.of(label, "p").bits(i));
    }
    return bytes;
  }

  private DataSet read() {
    return DataSet.open(dir.toString());
  }

  private String bad() {
    return String.valueOf(assertThrows(BadFileException.class, this::read).getMessage());
  }

  @BeforeEach
  void files() throws IOException {
    for (int b = 1; b <= 5; b++) {
      Files.write(dir.resolve("data_batch_" + b + ".bin"), records(b, b == 5 ? 1 : 2));
    }
    Files.write(dir.resolve("test_batch.bin"), records(7, 3));
  }

  @Test
  void readsWhatWasWritten() {
    DataSet data = read();
    assertEquals(dir.toString(), data.name());
    assertEquals("airplane", data.classes().getFirst());
    assertArrayEquals(new int[] {1, 2, 2, 3, 3, 4, 4, 5, 5}, data.train().labels());
    assertArrayEquals(new int[] {7, 8, 9}, data.test().labels());
    assertEquals("9×3×32×32", data.train().toString());
    assertArrayEquals(
        Arrays.copyOfRange(records(3, 2), 3073 + 1, 2 * 3073),
        Arrays.copyOfRange(data.train().images().pixels(), 5 * 3072, 6 * 3072));
  }

  @Test
  void classNamesComeFromTheirFile() throws IOException {
    Path meta = dir.resolve("batches.meta.txt");
    Files.writeString(meta, "a\nb\nc\r\nd\ne\nf\ng\nh\ni\nj\n\n");
    assertEquals("c", read().classes().get(2));
    Files.writeString(meta, "a\nb\n");
    assertTrue(
        bad().contains("10 different class names were expected, but the file has 2 lines, [a, b]"));
    Files.writeString(meta, "a\na\nc\nd\ne\nf\ng\nh\ni\nj\n");
    assertTrue(bad().contains("10 different class names"));
    Files.write(meta, new byte[] {'a', '\n', (byte) 0xff, '\n'});
    assertTrue(bad().contains("no text in UTF-8"));
    Files.write(meta, new byte[1 << 17]);
    assertTrue(bad().contains("at most 65536 bytes"));
  }

  @Test
  void everyFileIsNeeded() throws IOException {
    Files.delete(dir.resolve("data_batch_4.bin"));
    assertTrue(bad().contains("data_batch_4.bin: ") && bad().contains("missing"), bad());
  }

  @Test
  void labelsAreNineAtMost() throws IOException {
    byte[] bytes = records(0, 3);
    bytes[2 * 3073] = 10;
    Files.write(dir.resolve("test_batch.bin"), bytes);
    assertTrue(bad().contains("labels are 0 to 9, but record 2 has 10"), bad());
  }

  @Test
  void anyDamageIsABadFile() throws IOException {
    Path file = dir.resolve("data_batch_1.bin");
    Damage.cut(file, 3073, this::read);
    Damage.mutate(file, 2000, this::read);
    Path meta = dir.resolve("batches.meta.txt");
    Files.writeString(meta, "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n");
    Damage.mutate(meta, 500, this::read);
  }
}
