package fathom.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.RandomKey;
import fathom.Scope;
import fathom.io.BadFileException;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.function.IntBinaryOperator;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PhotosTest {
  private static final int SIDE = 16;
  private static final int COUNT = 20;

  @TempDir Path dir;

  private static void write(Path file, int width, int height, IntBinaryOperator rgb)
      throws IOException {
    var image = new BufferedImage(width, height, BufferedImage.TYPE_3BYTE_BGR);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        image.setRGB(x, y, rgb.applyAsInt(x, y));
      }
    }
    Files.createDirectories(file.getParent());
    assertTrue(ImageIO.write(image, "png", file.toFile()));
  }

  /// Noise in 20 sizes for training, and one image for testing.
  private Photos photos() throws IOException {
    for (int i = 0; i <= COUNT; i++) {
      RandomKey key = RandomKey.of(i, "noise");
      write(
          dir.resolve(i < COUNT ? "train" : "test").resolve("a").resolve((10 + i) + ".png"),
          20 + i,
          40 - i,
          (x, y) -> (int) key.bits(64 * y + x) & 0xffffff);
    }
    return assertInstanceOf(
        Photos.class, DataSet.open("images:" + dir, new ImageReadOptions(SIDE, true)).train());
  }

  private static Orientation.Box box(CropRegion view, int width, int height) {
    return view.of(width, height);
  }

  // ---- Which part is seen

  /// As if the shorter side became 256 and the centre of 224 were cropped, for example: 500×375
  /// becomes 341×256, and the crop starts at 58.5, rounded to even, and 16.
  @ParameterizedTest
  @CsvSource({
    "224, 500, 375, 85.0440, 23.4375, 328.4457, 328.1250",
    "224, 256, 256, 16, 16, 224, 224",
    "224, 375, 500, 23.4375, 85.0440, 328.1250, 328.4457",
    "64, 73, 73, 4, 4, 64, 64",
    "1, 10, 10, 0, 0, 10, 10"
  })
  void testsSeeTheCentre(
      int side, int width, int height, double left, double top, double across, double down) {
    Orientation.Box box = box(CropRegion.tested(side), width, height);
    assertEquals(left, box.left(), 1e-4);
    assertEquals(top, box.top(), 1e-4);
    assertEquals(across, box.width(), 1e-4);
    assertEquals(down, box.height(), 1e-4);
  }

  /// What tests see is the centre of the uncropped photo; only at its border the scaling has
  /// neighbours that the other does not have.
  @Test
  void testsSeeTheCentreOfTheUncroppedPhoto() throws IOException {
    for (String part : new String[] {"train", "test"}) {
      write(dir.resolve(part).resolve("a/wide.png"), 90, 60, (x, y) -> 0x010102 * (x + y));
      write(dir.resolve(part).resolve("a/high.png"), 50, 71, (x, y) -> 0x020103 * y);
    }
    var photos = (Photos) DataSet.open("images:" + dir, new ImageReadOptions(28, true)).train();
    assertEquals(32, photos.uncropped().height());
    assertEquals(32, photos.uncropped().take(1).width());
    Images seen = photos.images();
    Images all = photos.uncropped().images();
    for (int i = 0; i < 2 * 3; i++) {
      for (int y = 1; y < 27; y++) {
        for (int x = 1; x < 27; x++) {
          int expected = seen.pixels()[(i * 28 + y) * 28 + x] & 0xff;
          int actual = all.pixels()[(i * 32 + y + 2) * 32 + x + 2] & 0xff;
          assertEquals(expected, actual, 1, "plane %s, row %s, column %s".formatted(i, y, x));
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"500, 375", "375, 500", "224, 224", "1, 1", "3, 2", "1000, 10", "10, 1000", "1, 9"})
  void trainingSeesPartsThatLieInTheImage(int width, int height) {
    var areas = new ArrayList<Double>();
    var proportions = new ArrayList<Double>();
    for (int i = 0; i < 2000; i++) {
      Orientation.Box part = box(CropRegion.part(RandomKey.of(i, "part")), width, height);
      assertTrue(
          part.left() >= 0
              && part.top() >= 0
              && part.width() >= 1
              && part.height() >= 1
              && part.left() + part.width() <= width
              && part.top() + part.height() <= height,
          part.toString());
      areas.add(part.width() * part.height() / width / height);
      proportions.add(part.width() / part.height());
    }
    if (Math.min(width, height) > 200) {
      assertTrue(areas.stream().allMatch(area -> area > 0.078 && area <= 1));
      assertTrue(proportions.stream().allMatch(p -> p > 0.74 && p < 1.35));
    }
    if (width == height && width > 200) {
      double wide = proportions.stream().filter(p -> p > 1).count() / 2000.0;
      assertEquals(0.5, wide, 0.05);
      double small = areas.stream().filter(area -> area < 0.25).count() / 2000.0;
      assertEquals(0.17 / fitting(), small, 0.04);
    }
  }

  /// The integral from 0.08 to 1 of the probability that a part of the area a fits into a square:
  /// that of |log r| ≤ -log a for proportions r.
  private static double fitting() {
    int steps = 100_000;
    double sum = 0;
    for (int i = 0; i < steps; i++) {
      double area = 0.08 + 0.92 * (i + 0.5) / steps;
      sum += 0.92 / steps * Math.min(1, -Math.log(area) / Math.log(4.0 / 3));
    }
    return sum;
  }

  @Test
  void partsOfALongImageAreItsWholeMiddleAtLast() {
    // 8 % of the area with proportions of 4:3 at most is more than 10 pixels high.
    assertEquals(
        new Orientation.Box(0, 493, 10, 13),
        box(CropRegion.part(RandomKey.of(1, "part")), 10, 1000));
  }

  @Test
  void theCentreIsScaled() throws IOException {
    write(dir.resolve("x.png"), 256, 256, (x, y) -> x << 16 | y << 8);
    byte[] pixels = new Resizing(3, 224, 224, true).of(dir.resolve("x.png")).pixels();
    for (int p = 0; p < 224 * 224; p++) {
      assertEquals(16 + p % 224, pixels[p] & 0xff);
      assertEquals(16 + p / 224, pixels[224 * 224 + p] & 0xff);
    }
    byte[] half = new Resizing(3, 112, 112, true).of(dir.resolve("x.png")).pixels();
    for (int i = 1; i < 111; i++) {
      assertEquals(17 + 2 * i, half[i] & 0xff, 1); // between 16 + 2i and its neighbour
    }
  }

  @Test
  void photosAreImages() throws IOException {
    Photos photos = photos();
    assertEquals("20×3×16×16", photos.toString());
    Images images = photos.images();
    assertEquals(images.select(new int[] {7, 3}), photos.select(new int[] {7, 3}).images());
    assertEquals(images.take(4), photos.take(4).images());
    assertArrayEquals(
        images.select(new int[] {5}).pixels(),
        photos.decode(5, Augmentation.NONE, new RandomKey(1)));
    var e =
        assertThrows(
            IllegalArgumentException.class,
            () -> photos.decode(0, Augmentation.CIFAR, new RandomKey(1)));
    assertTrue(String.valueOf(e.getMessage()).contains("without a border"));
    assertThrows(IllegalArgumentException.class, () -> photos.take(21));
    assertThrows(IllegalArgumentException.class, () -> new ImageReadOptions(-1, false));
  }

  @Test
  void greyPhotosHaveOneChannel() throws IOException {
    for (int i = 0; i < 5; i++) {
      var image = new BufferedImage(30, 20 + i, BufferedImage.TYPE_BYTE_GRAY);
      Files.createDirectories(dir.resolve("a"));
      ImageIO.write(image, "png", dir.resolve("a/%s.png".formatted(i)).toFile());
    }
    assertEquals(1, DataSet.open(dir.toString(), new ImageReadOptions(8, true)).train().channels());
  }

  @Test
  void theNormalizationIsThatOfASample() throws IOException {
    Photos photos = photos();
    assertEquals(Normalization.perChannel(photos.images()), Normalization.perChannel(photos));
  }

  /// In place of a damaged one the next of its class is seen, the same wherever it is seen from.
  @Test
  void damagedPhotosAreReplaced() throws IOException {
    photos();
    for (int i : new int[] {3, 4, 19}) {
      Path file = dir.resolve("train/a").resolve((10 + i) + ".png");
      byte[] bytes = Files.readAllBytes(file);
      bytes[bytes.length - 20] ^= 1; // in the pixels, which have a checksum
      Files.write(file, bytes);
    }
    DataSet data = DataSet.open("images:" + dir, new ImageReadOptions(SIDE, false));
    Photos photos = assertInstanceOf(Photos.class, data.train());
    var told = new ConcurrentSkipListSet<String>();
    data.onDamage(skipped -> assertTrue(told.add(skipped.file()), "once each"));
    assertEquals(COUNT, photos.count());
    RandomKey key = RandomKey.of(1, "part");
    for (int[] pair : new int[][] {{3, 5}, {4, 5}, {19, 0}}) {
      byte[] seen = photos.decode(pair[0], Augmentation.PHOTOS, key);
      assertArrayEquals(photos.decode(pair[1], Augmentation.PHOTOS, key), seen);
      Photos alone = photos.select(new int[] {pair[0]});
      assertArrayEquals(seen, alone.decode(0, Augmentation.PHOTOS, key), "from elsewhere");
      assertThrows(BadFileException.class, () -> alone.apart().decode(0, Augmentation.PHOTOS, key));
    }
    assertEquals(3, told.size(), told.toString());
  }

  /// None is seen in place of one of another class.
  @Test
  void replacementsAreOfTheClass() throws IOException {
    for (String file : List.of("train/a/1", "train/b/1", "train/b/2", "test/a/1", "test/b/1")) {
      write(dir.resolve(file + ".png"), 20, 20, (x, y) -> file.contains("/a/") ? 0 : 0x7f7f7f);
    }
    Path damaged = dir.resolve("train/b/2.png");
    byte[] bytes = Files.readAllBytes(damaged);
    bytes[bytes.length - 20] ^= 1;
    Files.write(damaged, bytes);
    Images seen = DataSet.open("images:" + dir, new ImageReadOptions(SIDE, false)).train().images();
    assertEquals(seen.select(new int[] {1}), seen.select(new int[] {2}));
    assertNotEquals(seen.pixels()[0], seen.pixels()[2 * seen.size()]);
  }

  // ---- Decoded ahead

  private static List<Loader.Batch> batches() {
    int[] order = RandomKey.of(1, "order").permutation(COUNT);
    return IntStream.range(0, 5)
        .mapToObj(i ->
            new Loader.Batch(
                order, new Rows(4 * i, 4 * i + 4), Augmentation.PHOTOS, RandomKey.of(1, "augment")))
        .toList();
  }

  private static float[] values(Loader loader, Loader.Batch batch) {
    try (var _ = Scope.open()) {
      return loader.images(batch).segment().toArray(ValueLayout.JAVA_FLOAT);
    }
  }

  private static Loader loader(LabelledImages photos) {
    return new Loader(photos, Normalization.of(new float[3], new float[3]));
  }

  /// A batch is its parts, mirrored as its draws say.
  @Test
  void aBatchIsMirroredParts() throws IOException {
    Photos photos = photos();
    Loader.Batch batch = batches().getFirst();
    float[] values = values(loader(photos), batch);
    int mirrored = 0;
    for (int i = 0; i < 4; i++) {
      int index = batch.order()[i];
      RandomKey key = batch.augment().at(index);
      byte[] pixels = photos.decode(index, batch.augmentation(), key);
      boolean flip = key.bits(2) < 0;
      mirrored += flip ? 1 : 0;
      for (int p = 0; p < SIDE * SIDE; p++) {
        int x = flip ? SIDE - 1 - p % SIDE : p % SIDE;
        for (int c = 0; c < 3; c++) {
          int at = ((i * SIDE + p / SIDE) * SIDE + x) * 3 + c;
          assertEquals((pixels[c * SIDE * SIDE + p] & 0xff) / 255f, values[at]);
        }
      }
    }
    assertTrue(mirrored > 0 && mirrored < 4, "both occur");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 3})
  void decodersChangeNothing(int count) throws IOException {
    Photos photos = photos();
    List<float[]> expected =
        batches().stream().map(batch -> values(loader(photos), batch)).toList();
    assertFalse(Arrays.equals(expected.get(0), expected.get(1)));
    try (var decoders = Decoders.start(count)) {
      Loader loader = loader(photos.decodedBy(decoders));
      loader.expect(batches().iterator());
      // One that was not announced in between, and one out of turn.
      Loader.Batch other = Loader.Batch.of(batches().getFirst().order(), new Rows(3, 5));
      for (int i = 0; i < 5; i++) {
        assertArrayEquals(expected.get(i), values(loader, batches().get(i)), "batch " + i);
        assertArrayEquals(values(loader(photos), other), values(loader, other));
      }
      loader.expect(batches().iterator());
      assertArrayEquals(expected.get(3), values(loader, batches().get(3)));
      assertArrayEquals(expected.get(0), values(loader, batches().get(0)));
    }
  }

  /// What is announced is decoded before it is asked for, and no more than two batches of it: these
  /// need their files no longer.
  @Test
  void twoBatchesAreDecodedAhead() throws IOException {
    Photos photos = photos();
    List<float[]> expected =
        batches().stream().map(batch -> values(loader(photos), batch)).toList();
    try (var decoders = Decoders.start(2)) {
      Loader loader = loader(photos.decodedBy(decoders));
      loader.expect(batches().iterator());
      decoders.settle();
      Files.move(dir.resolve("train"), dir.resolve("gone"));
      assertArrayEquals(expected.get(0), values(loader, batches().get(0)));
      assertArrayEquals(expected.get(1), values(loader, batches().get(1)));
      var e = assertThrows(BadFileException.class, () -> values(loader, batches().get(2)));
      assertTrue(String.valueOf(e.getMessage()).contains(".png: "), e.getMessage());
    }
  }

  @Test
  void theThreadsEndWhenTheyAreClosed() throws IOException {
    Photos photos = photos();
    Loader loader;
    try (var decoders = Decoders.start(3)) {
      loader = loader(photos.decodedBy(decoders));
      loader.expect(batches().iterator());
      values(loader, batches().getFirst());
    }
    assertEquals(
        List.of(),
        Thread.getAllStackTraces().keySet().stream()
            .map(Thread::getName)
            .filter(name -> name.startsWith("fathom-decoder"))
            .toList());
    assertArrayEquals(values(loader(photos), batches().get(4)), values(loader, batches().get(4)));
    assertThrows(IllegalArgumentException.class, () -> Decoders.start(-1));
  }

  @Test
  void everyEpochSeesOtherParts() throws IOException {
    Photos photos = photos();
    var epochs = new Epochs(1, COUNT, 4);
    byte[] first = photos.decode(0, Augmentation.PHOTOS, epochs.augment(0).at(0));
    assertNotEquals(
        Arrays.hashCode(first),
        Arrays.hashCode(photos.decode(0, Augmentation.PHOTOS, epochs.augment(1).at(0))));
    assertArrayEquals(first, photos.decode(0, Augmentation.PHOTOS, epochs.augment(0).at(0)));
  }
}
