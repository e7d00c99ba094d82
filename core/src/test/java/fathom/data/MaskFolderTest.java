package fathom.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.io.BadFileException;
import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import us.hebi.matlab.mat.format.Mat5;
import us.hebi.matlab.mat.types.Cell;
import us.hebi.matlab.mat.types.Matrix;
import us.hebi.matlab.mat.types.Sinks;

class MaskFolderTest {
  private static final int WIDTH = 5;
  private static final int HEIGHT = 3;

  /// Labels of the six pixels that are no background, and one of which nothing is known.
  private static final byte[] LABELS = {0, 1, 2, 0, 0, 0, 1, 2, (byte) 255, 0, 0, 1, 2, 0, 0};

  @TempDir Path folder;

  private void image(String name) throws IOException {
    Path file = folder.resolve("images").resolve(name);
    Files.createDirectories(file.getParent());
    var image = new BufferedImage(WIDTH, HEIGHT, BufferedImage.TYPE_INT_RGB);
    image.setRGB(1, 0, 0xff8000);
    assertTrue(ImageIO.write(image, "png", file.toFile()));
  }

  /// As a palette of any colours whose indices are the labels.
  private void mask(String name, byte[] labels) throws IOException {
    Path file = folder.resolve("masks").resolve(name);
    Files.createDirectories(file.getParent());
    byte[] ramp = new byte[256];
    for (int i = 0; i < 256; i++) {
      ramp[i] = (byte) (37 * i);
    }
    var colours = new IndexColorModel(8, 256, ramp, ramp, ramp);
    var image = new BufferedImage(WIDTH, HEIGHT, BufferedImage.TYPE_BYTE_INDEXED, colours);
    for (int i = 0; i < labels.length; i++) {
      image.getRaster().setSample(i % WIDTH, i / WIDTH, 0, labels[i] & 0xff);
    }
    assertTrue(ImageIO.write(image, "png", file.toFile()));
  }

  private MaskSet open() {
    return MaskSet.open("masks:" + folder);
  }

  private BadFileException refused() {
    return assertThrows(BadFileException.class, this::open);
  }

  @Test
  void indicesAreLabelsAndColoursMeanNothing() throws IOException {
    for (String part : List.of("train", "valid", "test")) {
      image(part + "/a.png");
      mask(part + "/a.png", LABELS);
    }
    MaskSet set = open();
    assertEquals(List.of("0", "1", "2"), set.classes());
    assertEquals(3, set.channels());
    assertNotNull(set.validation());
    MaskImage image = set.test().getFirst();
    assertArrayEquals(LABELS, image.mask());
    assertEquals((byte) 0xff, image.pixels()[1]);
    assertEquals((byte) 0x80, image.pixels()[WIDTH * HEIGHT + 1]);
    assertEquals("images/test/a.png", image.name());
    assertArrayEquals(new double[] {8 / 14.0, 3 / 14.0, 3 / 14.0}, set.shares(), 1e-12);
  }

  @Test
  void classesHaveTheNamesOfTheirFile() throws IOException {
    for (String part : List.of("train", "test")) {
      image(part + "/a.png");
      mask(part + "/a.png", LABELS);
    }
    Files.writeString(folder.resolve("classes.txt"), "sky\ntree\n");
    assertTrue(refused().getMessage().contains("2 names and a label 2"), refused().getMessage());
    Files.writeString(folder.resolve("classes.txt"), "sky\ntree\nroad\n");
    assertEquals(List.of("sky", "tree", "road"), open().classes());
    assertNull(open().validation());
  }

  @Test
  void blackAndWhiteIsBackgroundAndForeground() throws IOException {
    byte[] white = new byte[WIDTH * HEIGHT];
    white[4] = (byte) 255;
    byte[] one = new byte[WIDTH * HEIGHT];
    one[4] = 1;
    for (String part : List.of("train", "test")) {
      image(part + "/a.png");
      mask(part + "/a.png", white);
    }
    assertEquals(List.of("background", "foreground"), open().classes());
    assertArrayEquals(one, open().train().getFirst().mask());
  }

  /// Two people have drawn the outlines of one image; both count.
  @Test
  void outlinesOfMatFilesAreRead() throws IOException {
    for (String part : List.of("train", "test")) {
      image(part + "/a.png");
      Path file = folder.resolve("groundTruth").resolve(part).resolve("a.mat");
      Files.createDirectories(file.getParent());
      Cell people = Mat5.newCell(1, 2);
      for (int person = 0; person < 2; person++) {
        Matrix drawn = Mat5.newLogical(HEIGHT, WIDTH);
        drawn.setBoolean(1, 2 + person, true);
        people.set(person, Mat5.newStruct().set("Boundaries", drawn));
      }
      try (var sink = Sinks.newStreamingFile(file.toFile())) {
        Mat5.newMatFile().addArray("groundTruth", people).writeTo(sink);
      }
    }
    byte[] expected = new byte[WIDTH * HEIGHT];
    expected[WIDTH + 2] = 1;
    expected[WIDTH + 3] = 1;
    assertArrayEquals(expected, open().train().getFirst().mask());
    Files.write(folder.resolve("groundTruth/test/a.mat"), new byte[200]);
    assertTrue(refused().getMessage().contains("a.mat"), refused().getMessage());
  }

  @Test
  void aFifthIsForTestingByName() throws IOException {
    for (int i = 0; i < 40; i++) {
      image(i + ".png");
      mask(i + ".png", LABELS);
    }
    MaskSet before = open();
    assertEquals(40, before.train().size() + before.test().size());
    assertTrue(before.test().size() >= 4 && before.test().size() <= 12);
    image("00.png");
    mask("00.png", LABELS);
    MaskSet after = open();
    long moved = before.test().stream().filter(image -> !after.test().contains(image)).count();
    assertTrue(moved <= 1, "moved " + moved);
  }

  @Test
  void whatDoesNotFitIsRefusedByName() throws IOException {
    assertTrue(refused().getMessage().contains("no folder images"), refused().getMessage());
    image("train/a.png");
    image("test/b.png");
    mask("train/a.png", LABELS);
    Files.createDirectories(folder.resolve("masks/test"));
    assertTrue(refused().getMessage().contains("b.png"), refused().getMessage());
    var small = new BufferedImage(2, 2, BufferedImage.TYPE_BYTE_GRAY);
    assertTrue(ImageIO.write(small, "png", folder.resolve("masks/test/b.png").toFile()));
    assertTrue(refused().getMessage().contains("2×2"), refused().getMessage());
    var colour = new BufferedImage(WIDTH, HEIGHT, BufferedImage.TYPE_INT_RGB);
    assertTrue(ImageIO.write(colour, "png", folder.resolve("masks/test/b.png").toFile()));
    assertTrue(refused().getMessage().contains("one number for each pixel"));
  }

  @Test
  void aSetInMemoryHasNoLabelWithoutAClass() {
    var image = new MaskImage("a", 1, 1, 3, new byte[3], new byte[] {0, (byte) 200, (byte) 255});
    var refused =
        assertThrows(
            IllegalArgumentException.class,
            () -> new MaskSet("own", List.of("a", "b"), List.of(image), List.of(image)));
    assertTrue(String.valueOf(refused.getMessage()).contains("label 200"), refused.getMessage());
  }
}
