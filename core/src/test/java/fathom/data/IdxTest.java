package fathom.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.RandomKey;
import fathom.io.BadFileException;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IdxTest {
  private static final Images TRAIN = images(12, 3, 5);
  private static final Images TEST = images(4, 3, 5);

  @TempDir Path dir;

  private static Images images(int count, int height, int width) {
    byte[] pixels = new byte[count * height * width];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (byte) RandomKey.of(count, "pixels").bits(i);
    }
    return new Images(
        1, height, width, pixels, IntStream.range(0, count).map(i -> i % 10).toArray());
  }

  private static byte[] images(Images images) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    for (int v : new int[] {2051, images.count(), images.height(), images.width()}) {
      out.writeInt(v);
    }
    out.write(images.pixels());
    return bytes.toByteArray();
  }

  private static byte[] labels(int... labels) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    out.writeInt(2049);
    out.writeInt(labels.length);
    for (int label : labels) {
      out.write(label);
    }
    return bytes.toByteArray();
  }

  private static byte[] gzip(byte[] bytes) throws IOException {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (OutputStream out = new GZIPOutputStream(packed)) {
      out.write(bytes);
    }
    return packed.toByteArray();
  }

  private Path write(String file, byte[] bytes) throws IOException {
    return Files.write(dir.resolve(file), bytes);
  }

  private DataSet read() {
    return DataSet.open(dir.toString());
  }

  private String bad() {
    return String.valueOf(assertThrows(BadFileException.class, this::read).getMessage());
  }

  @BeforeEach
  void plainFiles() throws IOException {
    write("train-images-idx3-ubyte", images(TRAIN));
    write("train-labels-idx1-ubyte", labels(TRAIN.labels()));
    write("t10k-images-idx3-ubyte", images(TEST));
    write("t10k-labels-idx1-ubyte", labels(TEST.labels()));
  }

  @Test
  void readsWhatWasWritten() {
    DataSet data = read();
    assertEquals(dir.toString(), data.name());
    assertEquals(10, data.classes().size());
    assertEquals("9", data.classes().get(9));
    assertEquals(TRAIN, data.train());
    assertEquals(TEST, data.test());
  }

  @Test
  void readsGzipAndNamesWithADot() throws IOException {
    for (String stem :
        new String[] {"train-images", "train-labels", "t10k-images", "t10k-labels"}) {
      String end = stem.endsWith("images") ? "idx3-ubyte" : "idx1-ubyte";
      Path plain = dir.resolve(stem + "-" + end);
      write(stem + "." + end + ".gz", gzip(Files.readAllBytes(plain)));
      Files.delete(plain);
    }
    assertEquals(TRAIN, read().train());
    // Content decides, not the name: here a plain file is called .gz.
    write("t10k-images.idx3-ubyte.gz", images(TEST));
    assertEquals(TEST, read().test());
  }

  @Test
  void thereAreTenClassesOrAsManyAsTheLabelsSay() throws IOException {
    write("train-labels-idx1-ubyte", labels(new int[12]));
    assertEquals(10, read().classes().size());
    write("train-labels-idx1-ubyte", labels(IntStream.range(0, 12).toArray()));
    assertEquals(12, read().classes().size());
  }

  @Test
  void labelsMustBeInRange() throws IOException {
    int[] labels = TRAIN.labels().clone();
    labels[3] = 200;
    write("train-labels-idx1-ubyte", labels(labels));
    assertTrue(bad().contains("there is a label 200 and none is 3"), bad());
    write("train-labels-idx1-ubyte", labels(TRAIN.labels()));
    write("t10k-labels-idx1-ubyte", labels(0, 1, 10, 2));
    assertTrue(bad().contains("there is a label 10, but training has the classes 0 to 9"), bad());
  }

  private void labelled(int[] train, int... test) throws IOException {
    write("train-images-idx3-ubyte", images(images(train.length, 3, 5)));
    write("train-labels-idx1-ubyte", labels(train));
    write("t10k-images-idx3-ubyte", images(images(test.length, 3, 5)));
    write("t10k-labels-idx1-ubyte", labels(test));
  }

  /// The letters of EMNIST: 1 to 26. A class keeps the name that its number is.
  @Test
  void labelsMayCountFromOne() throws IOException {
    labelled(IntStream.rangeClosed(1, 26).toArray(), 26, 1, 13);
    DataSet data = read();
    assertEquals(IntStream.rangeClosed(1, 26).mapToObj(Integer::toString).toList(), data.classes());
    assertEquals(0, data.train().labels()[0]);
    assertEquals(List.of(25, 0, 12), IntStream.of(data.test().labels()).boxed().toList());

    labelled(IntStream.rangeClosed(0, 26).toArray(), 26, 1, 13);
    assertEquals(27, read().classes().size(), "a 0 among them counts from 0");
    assertEquals("0", read().classes().getFirst());
    labelled(IntStream.rangeClosed(1, 10).toArray(), 10);
    assertEquals("10", read().classes().get(9), "the first that are no digits");
  }

  /// An extract of the digits that lacks the 0 has ten classes all the same, each with its number.
  @Test
  void digitsCountFromZeroAlsoWithoutAZero() throws IOException {
    labelled(IntStream.rangeClosed(1, 9).toArray(), 9, 1);
    DataSet data = read();
    assertEquals(10, data.classes().size());
    assertEquals("9", data.classes().get(data.test().labels()[0]));
  }

  @Test
  void bothFilesCountFromOneNumber() throws IOException {
    int[] letters = IntStream.rangeClosed(1, 26).toArray();
    labelled(letters, 3, 0);
    assertTrue(bad().contains("there is a label 26 and none is 0"), bad());
    assertTrue(bad().contains("of other data"), bad());
    labelled(letters, 3, 27);
    assertTrue(bad().contains("a label 27, but training has the classes 1 to 26"), bad());
    labelled(IntStream.rangeClosed(0, 26).toArray(), 27, 1);
    assertTrue(bad().contains("a label 27, but training has the classes 0 to 26"), bad());
    letters[4] = 6;
    labelled(letters, 3);
    assertTrue(bad().contains("there is a label 26 and none is 5"), bad());
    labelled(IntStream.rangeClosed(2, 26).toArray(), 3);
    assertTrue(bad().contains("there is a label 26 and none is 1"), bad());
  }

  @Test
  void countsAndSizesMustAgree() throws IOException {
    write("train-labels-idx1-ubyte", labels(TEST.labels()));
    assertTrue(bad().contains("12 images need 12 labels, but the file has 4"), bad());
    write("train-labels-idx1-ubyte", labels(TRAIN.labels()));
    write("t10k-images-idx3-ubyte", images(images(4, 5, 3)));
    assertTrue(bad().contains("the images are 5×3, but those for training are 3×5"), bad());
    write("t10k-images-idx3-ubyte", labels(TEST.labels()));
    assertTrue(bad().contains("start with the number 2051, but this file starts with 2049"), bad());
    Files.delete(dir.resolve("t10k-images-idx3-ubyte"));
    assertTrue(bad().contains("t10k-images-idx3-ubyte (or .gz) is missing"), bad());
    Files.createDirectory(dir.resolve("t10k-images-idx3-ubyte"));
    assertTrue(bad().contains("this is no file"), bad());
  }

  @Test
  void headersAreCheckedBeforeMemoryIsTaken() throws IOException {
    byte[] plain = images(TRAIN);
    int[][] sizes = {
      {60000, 200, 150}, {-1, -1, -1}, {1 << 30, 1 << 30, 1 << 30}, {1 << 16, 1 << 16, 1}, {0, 3, 5}
    };
    for (int[] size : sizes) {
      byte[] lying = plain.clone();
      for (int i = 0; i < 12; i++) {
        lying[4 + i] = (byte) (size[i / 4] >> (24 - 8 * (i % 4)));
      }
      write("train-images-idx3-ubyte", lying);
      bad();
      write("train-images-idx3-ubyte", gzip(lying));
      bad();
    }
  }

  @Test
  void nothingMayFollow() throws IOException {
    byte[] longer = Arrays.copyOf(images(TRAIN), images(TRAIN).length + 1);
    write("train-images-idx3-ubyte", longer);
    assertTrue(bad().contains("the header promises 196 bytes, but the file has 197"), bad());
    write("train-images-idx3-ubyte", gzip(longer));
    assertTrue(bad().contains("more follow"), bad());
  }

  @Test
  void anyDamageIsABadFile() throws IOException {
    for (String file : new String[] {"train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"}) {
      int mutations = file.startsWith("train") ? 2000 : 500;
      Path path = dir.resolve(file);
      Damage.cut(path, Integer.MAX_VALUE, this::read);
      Damage.mutate(path, mutations, this::read);
      write(file, gzip(Files.readAllBytes(path)));
      Damage.cut(path, Integer.MAX_VALUE, this::read);
      Damage.mutate(path, mutations, this::read);
    }
  }
}
