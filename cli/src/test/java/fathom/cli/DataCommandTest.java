package fathom.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

class DataCommandTest {
  @TempDir private Path folder;

  @Test
  void everyNameIsListedWithItsPlaceOrItsCommand() {
    Cli cli = Cli.run("data", "list");
    assertEquals(Exit.DONE, cli.code(), cli.err());
    for (String name : new String[] {"digits", "mnist", "fashion-mnist", "cifar10", "cifar100"}) {
      assertTrue(cli.out().lines().anyMatch(line -> line.startsWith(name + " ")), cli.out());
    }
    JsonNode json = Cli.run("data", "list", "--json").json();
    assertEquals(5, json.get("data").size());
    assertEquals("part of Fathom", json.get("data").get(0).get("folder").asString());
  }

  @Test
  void infoOfDigitsIsWhatIsInThem() throws IOException {
    Path sheet = folder.resolve("new").resolve("sheet.png");
    JsonNode json = Cli.run("data", "info", "digits", "--json", "--sheet", sheet.toString()).json();
    assertEquals("[1,8,8]", json.get("size").toString());
    assertEquals(1437, json.get("train").asInt());
    assertEquals(360, json.get("test").asInt());
    int train = 0;
    for (JsonNode c : json.get("classes")) {
      train += c.get("train").asInt();
    }
    assertEquals(1437, train);
    BufferedImage image = ImageIO.read(sheet.toFile());
    // Twelve images of 8 pixels, six times as large, between gaps of 2; ten rows of them.
    assertEquals(12 * 50 + 2, image.getWidth());
    assertEquals(10 * 50 + 2, image.getHeight());
    assertEquals(0xffffff, image.getRGB(0, 0) & 0xffffff);
    int corner = image.getRGB(2, 2);
    assertEquals(corner, image.getRGB(7, 7), "a pixel is a square of 6");
    Cli text = Cli.run("data", "info", "digits");
    assertTrue(text.out().startsWith("digits: 1,437 images to train with and 360 to test"));
  }

  @Test
  void infoSaysWhatIsBesideTheImages() throws IOException {
    var image = new BufferedImage(4, 4, BufferedImage.TYPE_BYTE_GRAY);
    for (String file : new String[] {"train/a", "train/b", "valid/a", "valid/b", "test/a"}) {
      Path in = Files.createDirectories(folder.resolve(file));
      ImageIO.write(image, "png", in.resolve("0.png").toFile());
      Files.writeString(in.resolve("0.txt"), "a caption");
    }
    Files.createDirectories(folder.resolve("holdout"));
    String data = "images:" + folder;
    JsonNode files = Cli.run("data", "info", data, "--strict", "--json").json().path("files");
    assertEquals("{\"txt\":5}", files.path("others").toString());
    assertEquals(2, files.path("notices").size(), files.toString());
    Cli text = Cli.run("data", "info", data);
    assertTrue(text.out().contains("2 to validate epochs with"), text.out());
    assertTrue(text.out().contains("beside them files that are no images: 5 txt"), text.out());
    assertTrue(text.out().contains("beside [test, train, valid]: [holdout]"), text.out());
    assertTrue(text.out().contains("no images for testing of 1 of the 2 classes: [b]"), text.out());
  }

  @Test
  void verifyFindsWhatHeadersDoNotShow() throws IOException {
    var image = new BufferedImage(20, 20, BufferedImage.TYPE_BYTE_GRAY);
    for (int i = 0; i < 5; i++) {
      Path in = Files.createDirectories(folder.resolve("a"));
      ImageIO.write(image, "png", in.resolve(i + ".png").toFile());
    }
    Path file = folder.resolve("a/2.png");
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length - 20] ^= 1; // in the pixels, which have a checksum
    Files.write(file, bytes);
    String[] info = {"data", "info", "images:" + folder, "--size", "8", "--no-cache"};
    assertEquals(Exit.DONE, Cli.run(info).code());
    String[] verify = Arrays.copyOf(info, info.length + 1);
    verify[info.length] = "--verify";
    Cli cli = Cli.run(verify);
    assertEquals(Exit.DONE, cli.code(), cli.err());
    assertTrue(cli.out().contains("another image of the class is seen in their place"), cli.out());
    assertTrue(cli.out().contains("2.png: the image"), cli.out());
    verify[info.length] = "--strict";
    assertEquals(Exit.BAD_FILE, Cli.run(verify).code());
  }

  @Test
  void infoOfATextCountsItsCharacters() throws IOException {
    Path file = folder.resolve("book.txt");
    Files.writeString(file, "abcb".repeat(250));
    Cli cli = Cli.run("data", "info", "text:" + file);
    assertTrue(
        cli.out().contains("900 characters to train with and 100 held out, of 3"), cli.out());
    Cli refused = Cli.run("data", "info", "text:" + file, "--sheet", "x.png");
    assertEquals(Exit.USAGE, refused.code());
    assertTrue(refused.err().contains("--sheet is for images"), refused.err());
  }

  @Test
  void whatCannotBeHadIsRefused() {
    Cli none = Cli.run("data");
    assertEquals(Exit.USAGE, none.code());
    assertTrue(none.err().contains("list, info, get or pack is missing"), none.err());
    Cli unknown = Cli.run("data", "get", "imagenet", "--into", folder.toString());
    assertEquals(Exit.USAGE, unknown.code());
    assertTrue(unknown.err().contains("mnist, fashion-mnist, cifar10, cifar100"), unknown.err());
    Cli missing = Cli.run("data", "info", folder.resolve("none").toString());
    assertEquals(Exit.BAD_FILE, missing.code());
    Cli unwritable = Cli.run("data", "info", "digits", "--sheet", "/proc/none/sheet.png");
    assertEquals(Exit.BAD_FILE, unwritable.code());
    assertTrue(unwritable.err().contains("cannot be written"), unwritable.err());
  }

  @Test
  void whatIsThereIsNotFetchedAgain() throws IOException {
    Path mnist = Files.createDirectories(folder.resolve("mnist"));
    Files.writeString(mnist.resolve("train-images-idx3-ubyte"), "damaged");
    Cli damaged = Cli.run("data", "get", "mnist", "--into", folder.toString());
    assertEquals(Exit.BAD_FILE, damaged.code());
    assertTrue(damaged.err().contains(mnist.toString()), damaged.err());
    assertFalse(damaged.err().contains("trying"), damaged.err());
  }
}
