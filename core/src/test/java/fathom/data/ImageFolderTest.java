package fathom.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.RandomKey;
import fathom.Shape;
import fathom.io.BadFileException;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntBinaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ImageFolderTest {
  @TempDir Path dir;

  private static int ramp(int x, int y) {
    return 8 * x + y;
  }

  /// An image with these samples: grey values, or `0xRRGGBB` for a colour type.
  private static BufferedImage image(int type, int width, int height, IntBinaryOperator samples) {
    BufferedImage image = new BufferedImage(width, height, type);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        if (image.getRaster().getNumBands() == 1 && type != BufferedImage.TYPE_BYTE_INDEXED) {
          image.getRaster().setSample(x, y, 0, samples.applyAsInt(x, y));
        } else {
          image.setRGB(x, y, 0xff000000 | samples.applyAsInt(x, y));
        }
      }
    }
    return image;
  }

  private static BufferedImage grey(int width, int height, IntBinaryOperator samples) {
    return image(BufferedImage.TYPE_BYTE_GRAY, width, height, samples);
  }

  private static BufferedImage colour(int width, int height, IntBinaryOperator rgb) {
    return image(BufferedImage.TYPE_3BYTE_BGR, width, height, rgb);
  }

  private Path write(String file, BufferedImage image) throws IOException {
    Path path = dir.resolve(file);
    Files.createDirectories(path.getParent());
    try (OutputStream out = Files.newOutputStream(path)) {
      assertTrue(ImageIO.write(image, file.substring(file.lastIndexOf('.') + 1), out));
    }
    return path;
  }

  private Path text(String file) throws IOException {
    Path path = dir.resolve(file);
    Files.createDirectories(path.getParent());
    return Files.writeString(path, "not an image");
  }

  /// Two classes with a grey image each, for training and for testing.
  private void smallest() throws IOException {
    for (String file : List.of("train/a/1.png", "train/b/1.png", "test/a/1.png", "test/b/1.png")) {
      write(file, grey(4, 3, ImageFolderTest::ramp));
    }
  }

  private DataSet read() {
    return DataSet.open("images:" + dir);
  }

  private DataSet strictly() {
    return DataSet.open("images:" + dir, new ImageReadOptions(0, true));
  }

  private String bad() {
    return String.valueOf(assertThrows(BadFileException.class, this::strictly).getMessage());
  }

  private static int[] values(LabelledImages images, int image, int channel) {
    Images read = images.images();
    int plane = read.height() * read.width();
    return IntStream.range(0, plane)
        .map(i -> read.pixels()[image * read.size() + channel * plane + i] & 0xff)
        .toArray();
  }

  private static int[] grid(int width, int height, IntBinaryOperator samples) {
    return IntStream.range(0, width * height)
        .map(i -> samples.applyAsInt(i % width, i / width))
        .toArray();
  }

  @Test
  void greyImagesOfOneSizeAreKeptAsTheyAre() throws IOException {
    smallest();
    write("train/a/2.bmp", image(BufferedImage.TYPE_BYTE_GRAY, 4, 3, (x, y) -> 200));
    DataSet data = read();
    assertEquals("images:" + dir, data.name());
    assertEquals(List.of("a", "b"), data.classes());
    assertEquals("3×1×3×4", data.train().toString());
    assertArrayEquals(new int[] {0, 0, 1}, data.train().labels());
    assertArrayEquals(grid(4, 3, ImageFolderTest::ramp), values(data.train(), 0, 0));
    assertArrayEquals(grid(4, 3, (x, y) -> 200), values(data.train(), 1, 0));
    assertEquals(data.test(), DataSet.open(dir.toString()).test());
  }

  @Test
  void greyOfOtherDepthsBecomesEightBits() throws IOException {
    smallest();
    write("train/a/2.png", image(BufferedImage.TYPE_USHORT_GRAY, 4, 3, (x, y) -> x * 20_000));
    write("train/a/3.png", image(BufferedImage.TYPE_BYTE_BINARY, 4, 3, (x, y) -> x % 2));
    LabelledImages train = read().train();
    assertEquals(1, train.channels());
    // 20,000 of 65,535 is 77.8 of 255.
    int[] expected = {0, 78, 156, 233, 0, 78, 156, 233, 0, 78, 156, 233};
    assertArrayEquals(expected, values(train, 1, 0));
    assertArrayEquals(grid(4, 3, (x, y) -> x % 2 * 255), values(train, 2, 0));
  }

  @Test
  void oneColourImageMakesAllThreeChannels() throws IOException {
    smallest();
    IntBinaryOperator rgb = (x, y) -> 0xff0000 + 0x003300 * x + 0x000080 * (y % 2);
    write("train/b/2.png", colour(4, 3, rgb));
    write("train/b/3.bmp", colour(4, 3, rgb));
    write("train/b/4.png", image(BufferedImage.TYPE_4BYTE_ABGR, 4, 3, rgb));
    write("train/b/5.gif", image(BufferedImage.TYPE_BYTE_INDEXED, 4, 3, (x, y) -> 0xff0033 * x));
    LabelledImages train = read().train();
    assertEquals("6×3×3×4", train.toString());
    for (int c = 0; c < 3; c++) {
      int shift = 16 - 8 * c;
      assertArrayEquals(
          grid(4, 3, ImageFolderTest::ramp), values(train, 0, c), "grey, not brightened");
      for (int image = 2; image < 5; image++) {
        assertArrayEquals(
            grid(4, 3, (x, y) -> (rgb.applyAsInt(x, y) >> shift) & 0xff), values(train, image, c));
      }
    }
    // The colours of the palette that ImageIO makes are steps of 0x33.
    assertEquals(0xff, values(train, 5, 0)[1]);
    assertEquals(0x33, values(train, 5, 2)[1]);
  }

  @Test
  void jpegIsDecoded() throws IOException {
    smallest();
    write("train/a/2.jpg", grey(4, 3, (x, y) -> 100));
    assertArrayEquals(grid(4, 3, (x, y) -> 100), values(read().train(), 1, 0));
    write("test/a/2.jpeg", colour(4, 3, (x, y) -> 0x6464c8));
    LabelledImages test = read().test();
    assertArrayEquals(grid(4, 3, (x, y) -> 100), values(read().train(), 1, 2));
    for (int c = 0; c < 3; c++) {
      for (int value : values(test, 1, c)) {
        assertEquals(c == 2 ? 200 : 100, value, 3);
      }
    }
  }

  @Test
  void otherSizesAreScaledAndCroppedToTheCentre() throws IOException {
    smallest();
    // Thirds of a width of 96 are red, green and blue: the crop has the middle one.
    write("train/a/2.png", colour(96, 32, (x, y) -> 0xff0000 >> (x / 32 * 8)));
    write("train/a/3.png", colour(70, 210, (x, y) -> y / 70 == 1 ? 0x00ff00 : 0xff0000));
    // A ramp stays a ramp. Halved, pixel i lies between 2i and 2i+1; doubled, at i/2 - 1/4.
    write("train/b/2.png", grey(64, 64, (x, y) -> 2 * x));
    write("train/b/3.png", grey(64, 64, (x, y) -> 2 * y));
    write("train/b/4.png", grey(16, 16, (x, y) -> 8 * x));
    LabelledImages train = read().train();
    assertEquals("7×3×32×32", train.toString());
    for (int image : new int[] {1, 2}) {
      assertArrayEquals(new int[1024], values(train, image, 0));
      assertArrayEquals(grid(32, 32, (x, y) -> 255), values(train, image, 1));
      assertArrayEquals(new int[1024], values(train, image, 2));
    }
    for (int i = 1; i < 31; i++) {
      assertEquals(4 * i + 1, values(train, 4, 0)[32 * 5 + i]);
      assertEquals(4 * i + 1, values(train, 5, 1)[32 * i + 5]);
      assertEquals(4 * i - 2, values(train, 6, 2)[32 * 5 + i]);
    }
  }

  @Test
  void sizesFromOnePixelUpAreScaled() throws IOException {
    smallest();
    int[] sides = {1, 2, 31, 33, 100, 333};
    for (int side : sides) {
      write("train/a/x%s.png".formatted(1000 + side), grey(side, side + side / 3, (x, y) -> 77));
    }
    LabelledImages train = read().train();
    for (int i = 0; i < sides.length; i++) {
      assertArrayEquals(grid(32, 32, (x, y) -> 77), values(train, 1 + i, 0));
    }
  }

  @Test
  void withoutATestFolderAFifthOfEachClassIsDrawn() throws IOException {
    int[] sizes = {10, 3, 1};
    for (int c = 0; c < sizes.length; c++) {
      for (int i = 0; i < sizes[c]; i++) {
        int value = 100 * c + i;
        write("%s/%s.png".formatted("abc".charAt(c), 10 + i), grey(2, 2, (x, y) -> value));
      }
    }
    DataSet data = read();
    assertEquals(List.of("a", "b", "c"), data.classes());
    assertArrayEquals(new int[] {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2}, data.train().labels());
    assertArrayEquals(new int[] {0, 0, 1}, data.test().labels());
    assertEquals(List.of(dir + ": no images for testing of 1 of the 3 classes: [c]"), notices());
    TreeSet<Integer> seen = new TreeSet<>();
    for (LabelledImages split : List.of(data.train(), data.test())) {
      for (int i = 0; i < split.count(); i++) {
        int value = values(split, i, 0)[0];
        assertEquals(value / 100, split.labels()[i]);
        seen.add(value);
      }
    }
    assertEquals(14, seen.size());
    assertEquals(data.train(), read().train());
    assertEquals(data.test(), read().test());
  }

  @Test
  void aFewImagesCannotBeSplit() throws IOException {
    write("a/1.png", grey(2, 2, ImageFolderTest::ramp));
    write("b/1.png", grey(2, 2, ImageFolderTest::ramp));
    assertTrue(bad().contains("needs a class of at least 3 images, but the largest has 1"), bad());
  }

  @Test
  void valIsTakenForTest() throws IOException {
    smallest();
    Files.move(dir.resolve("test"), dir.resolve("val"));
    assertEquals(2, read().test().count());
  }

  @Test
  void valJudgesWhereThereIsATestFolderToo() throws IOException {
    smallest();
    write("val/a/1.png", grey(4, 3, (x, y) -> 9));
    assertEquals(List.of(dir + ": no images for validation of 1 of the 2 classes: [b]"), notices());
    write("val/b/1.png", grey(4, 3, (x, y) -> 10));
    write("val/b/2.png", grey(4, 3, (x, y) -> 11));
    DataSet data = read();
    LabelledImages judges = Objects.requireNonNull(data.validation());
    assertArrayEquals(new int[] {0, 1, 1}, judges.labels());
    assertEquals(11, values(judges, 2, 0)[0]);
    assertEquals(2, data.test().count());
    assertEquals(judges, data.judgedBy(3, 1).validation(), "by themselves, not drawn");
    assertEquals(data.train(), data.judgedBy(3, 1).train());
    assertNull(data.judgedBy(0, 1).validation());
    var e = assertThrows(IllegalArgumentException.class, () -> data.judgedBy(1, 1));
    assertTrue(String.valueOf(e.getMessage()).contains("3 images in its folder val"));
  }

  @Test
  void whatCannotBeDecodedIsLeftOutAndListed() throws IOException {
    smallest();
    text("train/a/0.jpg");
    Files.write(dir.resolve("train/b/2.png"), new byte[0]);
    write("test/b/0.png", grey(4, 3, ImageFolderTest::ramp));
    Path large = write("train/b/3.png", colour(40, 50, (x, y) -> 0));
    byte[] whole = Files.readAllBytes(large);
    Files.write(large, Arrays.copyOf(whole, whole.length / 2)); // its header is sound
    DataSet data = read();
    assertEquals("2×1×3×4", data.train().toString(), "it decides neither size nor channels");
    FolderSummary summary = Objects.requireNonNull(data.summary());
    assertEquals(
        List.of("0.jpg", "2.png", "3.png"),
        summary.skipped().stream()
            .map(skipped -> Path.of(skipped.file()).getFileName().toString())
            .toList());
    assertTrue(summary.skipped().getFirst().why().contains("0.jpg: an image must be"));
    assertEquals(Map.of("png", 5), summary.formats());
    assertTrue(bad().contains("0.jpg: an image must be"), bad());
  }

  @Test
  void aClassOfWhichNothingRemainsIsRefused() throws IOException {
    smallest();
    text("train/b/1.png");
    var e = assertThrows(BadFileException.class, this::read);
    assertTrue(
        e.getMessage().contains("none of the 1 images of the class b can be decoded"),
        e.getMessage());
  }

  /// A damaged image keeps its place in the split: when it is mended, no other moves.
  @Test
  void aDamagedImageMovesNoOther() throws IOException {
    for (int i = 0; i < 10; i++) {
      int value = i;
      write("a/%s.png".formatted(i), grey(2, 2, (x, y) -> value));
    }
    DataSet whole = read();
    int trained = values(whole.train(), 0, 0)[0];
    Files.write(dir.resolve("a/%s.png".formatted(trained)), new byte[9]);
    DataSet rest = read();
    int left = whole.train().count() - 1;
    assertEquals(whole.test(), rest.test());
    assertEquals(whole.train().select(IntStream.rangeClosed(1, left).toArray()), rest.train());
  }

  @Test
  void theSummarySaysWhatThereIs() throws IOException {
    smallest();
    write("train/a/2.png", grey(10, 20, ImageFolderTest::ramp));
    write("train/a/3.bmp", colour(9, 9, ImageFolderTest::ramp));
    write("train/a/4.jpg", colour(2, 2, ImageFolderTest::ramp));
    FolderSummary summary = Objects.requireNonNull(read().summary());
    assertEquals(Map.of("png", 5, "bmp", 1, "jpeg", 1), summary.formats());
    assertEquals(new FolderSummary.Size(2, 2), summary.smallest());
    assertEquals(new FolderSummary.Size(4, 3), summary.median());
    assertEquals(new FolderSummary.Size(10, 20), summary.largest());
    assertEquals(List.of(), summary.skipped());
    assertNull(DataSet.open("digits").summary());
  }

  @Test
  void trainWithoutTestIsRefusedUnlessItIsAClass() throws IOException {
    write("train/a/1.png", grey(2, 2, ImageFolderTest::ramp));
    assertTrue(bad().contains("there is a folder train, but neither test nor val"), bad());
    Files.move(dir.resolve("train/a"), dir.resolve("ship"));
    for (int i = 0; i < 5; i++) {
      write("train/%s.png".formatted(i), grey(2, 2, ImageFolderTest::ramp));
    }
    assertEquals(List.of("ship", "train"), read().classes());
  }

  @Test
  void classFoldersMustBeSound() throws IOException {
    smallest();
    Files.createDirectories(dir.resolve("train/c"));
    assertTrue(bad().contains("this class folder has no images"), bad());
    text("train/c/labels.txt");
    assertTrue(bad().contains("this class folder has no images (only [labels.txt])"), bad());
    write("train/c/1.png", grey(4, 3, ImageFolderTest::ramp));
    write("test/d/1.png", grey(4, 3, ImageFolderTest::ramp));
    assertTrue(bad().contains("only here there are [d], and only in train [c]"), bad());
    Files.move(dir.resolve("test/d"), dir.resolve("test/c"));
    write("test/c/deep/1.png", grey(4, 3, ImageFolderTest::ramp));
    assertTrue(bad().contains("images must lie in their class folder itself"), bad());
    Files.delete(dir.resolve("test/c/deep/1.png"));
    Files.delete(dir.resolve("test/c/deep"));
    text("test/c/labels.jpg");
    assertTrue(bad().contains("labels.jpg: an image must be a JPEG, PNG, GIF, BMP or WebP"));
  }

  /// In a given division as in one that is drawn: it is told, and so is one that has only damage.
  @Test
  void classesWithoutTestImagesAreTold() throws IOException {
    smallest();
    write("train/c/1.png", grey(4, 3, ImageFolderTest::ramp));
    Files.createDirectories(dir.resolve("test/c"));
    String none = dir + ": no images for testing of 1 of the 3 classes: [c]";
    assertEquals(List.of(none), notices());
    Files.delete(dir.resolve("test/c"));
    assertEquals(List.of(none), notices());
    text("test/c/1.png");
    assertEquals(List.of(none), notices());
    assertArrayEquals(new int[] {0, 1}, read().test().labels());
    Files.delete(dir.resolve("test/a/1.png"));
    Files.delete(dir.resolve("test/b/1.png"));
    Files.delete(dir.resolve("test/c/1.png"));
    assertTrue(bad().contains("test: none of its class folders has images"), bad());
  }

  private List<String> notices() {
    return Objects.requireNonNull(read().summary()).notices();
  }

  @ParameterizedTest
  @ValueSource(strings = {"valid", "validation"})
  void theValidationPartHasOtherNames(String name) throws IOException {
    smallest();
    for (String file : List.of("a/1.png", "b/1.png", "b/2.png")) {
      write(name + "/" + file, grey(4, 3, ImageFolderTest::ramp));
    }
    assertArrayEquals(new int[] {0, 1, 1}, Objects.requireNonNull(read().validation()).labels());
    Files.move(dir.resolve("test"), dir.resolve("unknown"));
    assertNull(read().validation());
    assertEquals(3, read().test().count(), "it tests where there is no test folder");
    assertEquals(
        List.of("%s: 1 passed over beside [train, %s]: [unknown]".formatted(dir, name)), notices());
    Files.move(dir.resolve("unknown"), dir.resolve("val"));
    assertTrue(
        bad().contains("one folder has the validation data, but there are [val, " + name), bad());
  }

  @Test
  void whatLiesBesideIsTold() throws IOException {
    smallest();
    text("labels.csv");
    text("train/stray.jpg");
    text("test/a/notes.md");
    text("test/a/notes.txt");
    Files.createDirectories(dir.resolve("extra/a"));
    assertEquals(
        List.of(
            dir + ": 2 passed over beside [test, train]: [extra, labels.csv]",
            dir.resolve("train") + ": 1 passed over beside the class folders: [stray.jpg]"),
        notices());
    FolderSummary summary = Objects.requireNonNull(strictly().summary());
    assertEquals(Map.of("md", 1, "txt", 1), summary.others());
    assertEquals(List.of(), summary.skipped());
  }

  /// A caption beside each image: none of them is drawn in place of an image.
  @ParameterizedTest
  @ValueSource(strings = {"txt", "JSON", "csv", "md", "npy"})
  void captionsAreNoImages(String extension) throws IOException {
    for (int c = 0; c < 8; c++) {
      for (int i = 0; i < 3; i++) {
        write("class%s/%s.png".formatted(c, i), grey(2, 2, ImageFolderTest::ramp));
        text("class%s/%s.%s".formatted(c, i, extension));
      }
    }
    DataSet data = strictly();
    assertEquals(16, data.train().count());
    assertArrayEquals(new int[] {0, 1, 2, 3, 4, 5, 6, 7}, data.test().labels());
    assertEquals(List.of(), notices());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a/@eaDir/0.png/thumb.png",
        "__MACOSX/a/._0.png",
        "lost+found/x.png",
        "a/.ipynb_checkpoints/0-checkpoint.png",
        ".git/objects/1.png",
        "$RECYCLE.BIN/S-1-5/1.png",
        "a/Desktop.ini"
      })
  void foldersOfSystemsAreNoClasses(String file) throws IOException {
    for (int i = 0; i < 5; i++) {
      write("a/%s.png".formatted(i), grey(2, 2, ImageFolderTest::ramp));
      write("b/%s.png".formatted(i), grey(2, 2, ImageFolderTest::ramp));
    }
    text(file);
    DataSet data = strictly();
    assertEquals(List.of("a", "b"), data.classes());
    assertEquals(10, data.train().count() + data.test().count());
    assertEquals(List.of(), notices());
  }

  @Test
  void linksAreFollowedUnlessTheyLeadNowhereOrBack() throws IOException {
    for (int i = 0; i < 5; i++) {
      write("data/a/%s.png".formatted(i), grey(2, 2, ImageFolderTest::ramp));
      write("elsewhere/%s.png".formatted(i), grey(2, 2, ImageFolderTest::ramp));
    }
    Path data = dir.resolve("data");
    Files.createSymbolicLink(data.resolve("b"), dir.resolve("elsewhere"));
    Files.createSymbolicLink(data.resolve("a/5.png"), dir.resolve("elsewhere/1.png"));
    Files.createSymbolicLink(data.resolve("a/6.png"), dir.resolve("none.png"));
    Files.createSymbolicLink(data.resolve("a/self.png"), data.resolve("a/self.png"));
    Files.createSymbolicLink(data.resolve("c"), data);
    DataSet read = DataSet.open("images:" + data, new ImageReadOptions(0, true));
    assertEquals(List.of("a", "b"), read.classes());
    assertEquals(11, read.train().count() + read.test().count());
    assertEquals(
        List.of(
            data.resolve("c") + ": this link leads back to a folder above it and is not followed",
            data.resolve("a/6.png") + ": this link leads nowhere and is passed over",
            data.resolve("a/self.png") + ": this link leads nowhere and is passed over"),
        Objects.requireNonNull(read.summary()).notices());
  }

  /// é is one character or two.
  @Test
  void namesOfClassesAreComparedInOneForm() throws IOException {
    String composed = "caf\u00e9";
    String apart = "cafe\u0301";
    write("train/" + composed + "/1.png", grey(4, 3, ImageFolderTest::ramp));
    write("train/cafz/1.png", grey(4, 3, ImageFolderTest::ramp));
    write("test/" + apart + "/1.png", grey(4, 3, ImageFolderTest::ramp));
    write("test/cafz/1.png", grey(4, 3, ImageFolderTest::ramp));
    assertEquals(List.of("cafz", composed), read().classes());
    assertArrayEquals(new int[] {0, 1}, read().test().labels());
    Files.move(dir.resolve("train/" + composed), dir.resolve("train/" + apart));
    assertEquals(List.of("cafz", apart), read().classes(), "as on disk, in the same order");
    write("train/" + composed + "/1.png", grey(4, 3, ImageFolderTest::ramp));
    assertTrue(bad().contains("two class folders have one name"), bad());
  }

  @Test
  void emptyFoldersAndLitterAreSkipped() throws IOException {
    assertTrue(bad().contains("there is no folder"), bad());
    text("notes.txt");
    assertTrue(bad().contains("there is no folder"), bad());
    Files.delete(dir.resolve("notes.txt"));
    smallest();
    text("train/.DS_Store");
    text("train/a/.hidden");
    text("train/a/Thumbs.db");
    Files.createDirectories(dir.resolve("train/.cache"));
    assertEquals(2, read().train().count());
  }

  @Test
  void contentDecidesNotTheName() throws IOException {
    smallest();
    Files.move(dir.resolve("train/a/1.png"), dir.resolve("train/a/1.jpg"));
    assertArrayEquals(grid(4, 3, ImageFolderTest::ramp), values(read().train(), 0, 0));
  }

  @Test
  void hugeImagesAreRefusedUnread() throws IOException {
    smallest();
    Path file = write("train/a/2.png", colour(4, 3, (x, y) -> 0));
    // The header of a PNG has the width at byte 16 and the height at byte 20.
    ByteBuffer png = ByteBuffer.wrap(Files.readAllBytes(file));
    Files.write(file, png.putInt(16, 10_001).putInt(20, 10_000).array());
    assertTrue(
        bad().contains("2.png: an image may have 100 megapixels, but this one is 10001×10000"));
    Files.write(file, png.putInt(16, 9_000).putInt(20, 9_000).array());
    assertTrue(bad().contains("an image of 9000×9000 cannot be held in"), bad());
  }

  @ParameterizedTest
  @ValueSource(strings = {"jpg", "png", "gif", "bmp"})
  void damagedImagesAreBadFiles(String format) throws IOException {
    smallest();
    IntBinaryOperator noise = (x, y) -> (int) RandomKey.of(1, "noise").bits(16 * y + x) & 0xffffff;
    int type =
        format.equals("gif") ? BufferedImage.TYPE_BYTE_INDEXED : BufferedImage.TYPE_3BYTE_BGR;
    Path file = write("train/b/2." + format, image(type, 16, 16, noise));
    byte[] whole = Files.readAllBytes(file);
    for (int percent : new int[] {0, 1, 5, 20, 50, 90}) {
      Files.write(file, Arrays.copyOf(whole, whole.length * percent / 100));
      assertTrue(bad().contains("2." + format + ": "), bad());
    }
    if (format.equals("jpg")) {
      assertDamaged(file, whole, 0xff, 0xd9); // the mark of the end, too early
      Files.write(file, whole);
      Damage.cut(file, Integer.MAX_VALUE, this::strictly);
    }
    if (format.equals("gif")) {
      assertDamaged(file, whole, 0xff, 0xff); // a code that is not in the table yet
    }
    Files.write(file, whole);
    Damage.mutate(file, 300, this::strictly);
  }

  private void assertDamaged(Path file, byte[] whole, int... wrong) throws IOException {
    byte[] damaged = whole.clone();
    for (int i = 0; i < wrong.length; i++) {
      damaged[whole.length * 9 / 10 + i] = (byte) wrong[i];
    }
    Files.write(file, damaged);
    assertTrue(bad().contains(file.getFileName() + ": the image is damaged"), bad());
  }

  /// An image of two halves by 4:1, brought to 4×2: its middle square's left half is black.
  @Test
  void oneFileIsScaledToAnySize() throws IOException {
    Path wide = write("wide.png", grey(64, 16, (x, y) -> x < 32 ? 0 : 200));
    Images small = new Resizing(1, 2, 4, false).of(wide);
    assertEquals(1, small.count());
    byte[] row = Arrays.copyOf(small.pixels(), 4);
    assertArrayEquals(row, Arrays.copyOfRange(small.pixels(), 4, 8));
    assertEquals(0, row[0]);
    assertEquals((byte) 200, row[3]);
    assertTrue((row[1] & 0xff) < 100 && (row[2] & 0xff) > 100, Arrays.toString(row));
  }

  /// 0.299·200 + 0.587·100 + 0.114·50 = 124.2
  @Test
  void coloursBecomeGreyForOneChannelAndGreyThreeEqualOnes() throws IOException {
    Path colour = write("colour.png", colour(3, 3, (x, y) -> 200 << 16 | 100 << 8 | 50));
    assertEquals(124, new Resizing(1, 3, 3, false).of(colour).pixels()[4]);
    Path grey = write("grey.png", grey(3, 3, (x, y) -> 77));
    byte[] three = new Resizing(3, 3, 3, false).of(grey).pixels();
    assertEquals(27, three.length);
    for (byte value : three) {
      assertEquals(77, value);
    }
  }

  // ---- Headers and what is known of them

  /// A PNG whose header is sound and whose pixels are not.
  private void damage(Path file) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length - 20] ^= 1; // in the pixels, which have a checksum
    Files.write(file, bytes);
  }

  private ImageReadOptions cached(int size) {
    return new ImageReadOptions(size, false).cachedIn(dir.resolve("cache"));
  }

  private void old(Path file) throws IOException {
    Files.setLastModifiedTime(file, FileTime.fromMillis(1_000_000_000_000L));
  }

  private List<Path> many() throws IOException {
    var files = new ArrayList<Path>();
    for (String label : List.of("a", "b")) {
      for (int i = 0; i < 5; i++) {
        int value = 10 * i;
        Path file = write("data/%s/%s.png".formatted(label, i), grey(20, 20 + i, (x, y) -> value));
        old(file);
        files.add(file);
      }
    }
    return files;
  }

  private DataSet open(ImageReadOptions reading) {
    return DataSet.open("images:" + dir.resolve("data"), reading);
  }

  /// Whether a file is opened shows in what becomes of other bytes of the same size and time.
  @Test
  void whatIsKnownOfAFileIsNotReadAgain() throws IOException {
    List<Path> files = many();
    FolderSummary first = Objects.requireNonNull(open(cached(8)).summary());
    assertEquals(Map.of("png", 10), first.formats());
    Path file = files.get(3);
    byte[] bytes = Files.readAllBytes(file);
    Files.write(file, new byte[bytes.length]);
    old(file);
    assertEquals(first, open(cached(8)).summary(), "it is known");
    assertEquals(
        1,
        Objects.requireNonNull(open(new ImageReadOptions(8, false)).summary()).skipped().size(),
        "without a cache");
    Files.setLastModifiedTime(file, FileTime.fromMillis(1_000_000_001_000L));
    FolderSummary changed = Objects.requireNonNull(open(cached(8)).summary());
    assertEquals(1, changed.skipped().size(), "of another time it is another file");
    assertEquals(changed, open(cached(8)).summary(), "damage is known as well");
    Files.write(file, bytes);
    assertEquals(first, open(cached(8)).summary(), "mended a moment ago, it is looked at");
    assertEquals(first, open(cached(8)).summary());
  }

  @Test
  void aManifestThatIsDamagedOrCannotBeWrittenChangesNothing() throws IOException {
    many();
    FolderSummary summary = open(cached(8)).summary();
    Path manifest;
    try (Stream<Path> kept = Files.list(dir.resolve("cache/images"))) {
      List<Path> all = kept.toList();
      assertEquals(1, all.size());
      manifest = all.getFirst();
    }
    byte[] whole = Files.readAllBytes(manifest);
    for (int length : new int[] {0, 3, 12, whole.length / 2, whole.length - 1}) {
      Files.write(manifest, Arrays.copyOf(whole, length));
      assertEquals(summary, open(cached(8)).summary(), length + " bytes");
      assertEquals(whole.length, Files.size(manifest), "it is written anew");
    }
    for (int i = 0; i < 200; i++) {
      byte[] mutant = whole.clone();
      mutant[RandomKey.of(i, "mutant").below(0, whole.length)] ^= (byte) (1 << i % 8);
      Files.write(manifest, mutant);
      assertEquals(summary, open(cached(8)).summary(), "mutant " + i);
    }
    Path file = Files.writeString(dir.resolve("file"), "no folder");
    assertEquals(summary, open(new ImageReadOptions(8, false).cachedIn(file)).summary());
    assertEquals(Path.of("c", "fathom"), Manifest.place(Map.of("XDG_CACHE_HOME", "c")::get));
    assertEquals(Path.of("h/.cache/fathom"), Manifest.place(Map.of("HOME", "h")::get));
    assertEquals(
        Path.of("own"),
        Manifest.place(Map.of("FATHOM_CACHE", "own", "XDG_CACHE_HOME", "c", "HOME", "h")::get));
    assertNull(Manifest.place(name -> null));
  }

  /// It stays in the data where images stay in their files, and is told, and refused if strict.
  @ParameterizedTest
  @ValueSource(ints = {0, 8})
  void damageBehindASoundHeaderIsFound(int size) throws IOException {
    Path file = many().get(1);
    damage(file);
    old(file);
    var seen = new AtomicLong();
    DataSet data =
        open(cached(size).decodingAll((files, of) -> seen.accumulateAndGet(of, Math::max)));
    assertEquals(10, seen.get());
    FolderSummary summary = Objects.requireNonNull(data.summary());
    List<FolderSummary.Skipped> told = size == 0 ? summary.skipped() : summary.damaged();
    assertEquals(List.of(file.toString()), told.stream().map(FolderSummary.Skipped::file).toList());
    assertEquals(size == 0 ? 9 : 10, data.train().count() + data.test().count());
    FolderSummary later = Objects.requireNonNull(open(cached(size)).summary());
    assertEquals(summary, later, "the manifest knows");
    var e = assertThrows(BadFileException.class, () -> open(new ImageReadOptions(size, true)));
    assertTrue(e.getMessage().startsWith(file.toString()), e.getMessage());
  }

  /// For tests alone, those for training stay closed: whatever they are, and whatever a manifest
  /// knows of them.
  @ParameterizedTest
  @CsvSource({"8, false", "8, true", "0, false", "0, true"})
  void onlyWhatIsTestedIsOpened(int size, boolean strict) throws IOException {
    for (String part : List.of("train", "test")) {
      for (String label : List.of("a", "b")) {
        write("data/%s/%s/1.png".formatted(part, label), grey(9, 9, ImageFolderTest::ramp));
        write("data/%s/%s/2.png".formatted(part, label), grey(9, 9, ImageFolderTest::ramp));
      }
    }
    DataSet whole = open(new ImageReadOptions(size, false));
    for (String label : List.of("a", "b")) {
      for (int i = 1; i <= 2; i++) {
        Files.writeString(dir.resolve("data/train/%s/%s.png".formatted(label, i)), "no image");
      }
    }
    assertThrows(BadFileException.class, () -> open(cached(size)), "the manifest knows");
    int side = whole.test().height();
    ImageReadOptions how = new ImageReadOptions(size, strict).cachedIn(dir.resolve("cache"));
    DataSet tests = open(how.forTests(Shape.of(3, side, side)));
    assertEquals(3, tests.test().channels(), "as the run has them");
    assertEquals(4, tests.test().count());
    assertEquals(whole.test().images().pixels()[5], tests.test().images().pixels()[5]);
    FolderSummary summary = Objects.requireNonNull(tests.summary());
    assertEquals(List.of(), summary.skipped());
    assertEquals(Map.of("png", 4), summary.formats());
    assertEquals(whole.identity().ofTests(), tests.identity().ofTests());
    for (String label : List.of("a", "b")) {
      for (int i = 1; i <= 2; i++) {
        Files.writeString(dir.resolve("data/test/%s/%s.png".formatted(label, i)), "no image");
      }
    }
    var none = assertThrows(BadFileException.class, () -> open(how.forTests(Shape.of(3, 8, 8))));
    assertTrue(
        none.getMessage()
            .contains(
                strict && size > 0
                    ? "/test/a/1.png: an image must be"
                    : "none of the images for testing can be decoded"),
        none.getMessage());
  }

  /// The images of the run had several sizes and were scaled, and those for tests have one.
  @Test
  void testsAreScaledIfThoseForTrainingWere() throws IOException {
    for (String label : List.of("a", "b")) {
      write("data/train/%s/1.png".formatted(label), grey(9, 9, ImageFolderTest::ramp));
      write("data/train/%s/2.png".formatted(label), grey(12, 9, ImageFolderTest::ramp));
      write("data/test/%s/1.png".formatted(label), grey(9, 9, ImageFolderTest::ramp));
    }
    DataSet whole = open(ImageReadOptions.USUAL);
    assertEquals(32, whole.test().width());
    DataSet tests = open(ImageReadOptions.USUAL.forTests(Shape.of(1, 32, 32)));
    assertEquals(whole.identity().ofTests(), tests.identity().ofTests());
    assertArrayEquals(whole.test().images().pixels(), tests.test().images().pixels());
    assertEquals(0, tests.train().count(), "not decoded");
    assertEquals(9, open(ImageReadOptions.USUAL.forTests(Shape.of(1, 16, 16))).test().width());
  }

  @Test
  void aFileThatCannotBeReadIsNotDamaged() throws IOException {
    Path path = many().getFirst();
    var file = new FolderScan.Entry(path, 1, 1);
    HeaderScan.checkReadable(file);
    Files.delete(path);
    var e = assertThrows(BadFileException.class, () -> HeaderScan.checkReadable(file));
    assertTrue(e.getMessage().contains("which is no damage of the image"), e.getMessage());
  }
}
