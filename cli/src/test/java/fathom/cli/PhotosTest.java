package fathom.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.RandomKey;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/// A folder of photos of mixed size, among them two files that are none: trained on, evaluated,
/// predicted and described.
class PhotosTest {
  @TempDir private static Path folder;

  @BeforeAll
  static void train() throws IOException {
    make("train", 8);
    make("val", 2);
    make("test", 4);
    Files.writeString(folder.resolve("photos/train/dark/notes.jpg"), "no image");
    Files.write(folder.resolve("photos/test/light/empty.png"), new byte[0]);
    Cli cli =
        Cli.run(
            "train",
            "resnet18",
            "--width",
            "4",
            "--data",
            photos(),
            "--size",
            "24",
            "--epochs",
            "2",
            "--batch",
            "8",
            "--out",
            run());
    assertEquals(Exit.DONE, cli.code(), cli.err());
    assertTrue(cli.err().contains("skipped 2 files that cannot be decoded (--strict"), cli.err());
    assertTrue(cli.err().contains("notes.jpg: an image must be a JPEG"), cli.err());
    assertTrue(cli.err().contains("2 epochs of 16 images"), cli.err());
    assertTrue(cli.err().contains("validation loss"), "val judges: " + cli.err());
  }

  private static void make(String part, int count) throws IOException {
    for (String label : List.of("dark", "light")) {
      Path in = Files.createDirectories(folder.resolve("photos").resolve(part).resolve(label));
      for (int i = 0; i < count; i++) {
        RandomKey key = RandomKey.of(i, part + label);
        var image = new BufferedImage(30 + 5 * i, 60 - 3 * i, BufferedImage.TYPE_3BYTE_BGR);
        for (int y = 0; y < image.getHeight(); y++) {
          for (int x = 0; x < image.getWidth(); x++) {
            int noise = (int) key.bits(100L * y + x) & 0x7f7f7f;
            image.setRGB(x, y, label.equals("light") ? noise + 0x808080 : noise);
          }
        }
        String format = i % 2 == 0 ? "jpeg" : "png";
        assertTrue(ImageIO.write(image, format, in.resolve(i + "." + format).toFile()));
      }
    }
  }

  private static String photos() {
    return "images:" + folder.resolve("photos");
  }

  private static String run() {
    return folder.resolve("run").toString();
  }

  /// Both see the centre, at the size of the run.
  @Test
  void predictSaysWhatEvalCounts() throws IOException {
    Cli eval = Cli.run("eval", run(), "--json");
    assertEquals(Exit.DONE, eval.code(), eval.err());
    assertTrue(eval.err().contains("skipped 1 file that"), "of those for testing: " + eval.err());
    JsonNode counted = eval.json();
    assertEquals(8, counted.path("count").asInt());
    Cli predict = Cli.run("predict", run(), folder.resolve("photos/test").toString(), "--json");
    assertEquals(Exit.DONE, predict.code(), predict.err());
    assertSaysTheSame(counted, predict.json());
    Path exported = folder.resolve("exported.safetensors");
    assertEquals(Exit.DONE, Cli.run("export", run(), exported.toString()).code());
    Cli elsewhere =
        Cli.run(
            "predict",
            exported.toString(),
            "--model",
            "resnet18",
            "--width",
            "4",
            folder.resolve("photos/test").toString(),
            "--json");
    assertEquals(predict.json().path("predictions"), elsewhere.json().path("predictions"));
  }

  private static void assertSaysTheSame(JsonNode eval, JsonNode predict) {
    double loss = 0;
    for (JsonNode each : predict.path("predictions")) {
      String truth = Path.of(each.path("file").asString()).getParent().getFileName().toString();
      for (JsonNode prediction : each.path("top")) {
        if (prediction.path("class").asString().equals(truth)) {
          loss -= Math.log(prediction.path("probability").asDouble()) / 8;
        }
      }
    }
    assertEquals(8, predict.path("predictions").size());
    assertEquals(eval.path("crossEntropy").asDouble(), loss, 1e-5);
  }

  @ParameterizedTest
  @CsvSource({
    "train resnet20 --strict --out x --data, notes.jpg",
    "data info --strict, notes.jpg",
    "eval RUN --strict --data, empty.png" // the one among those for testing, which alone are opened
  })
  void strictRefusesWhatCannotBeDecoded(String line, String file) {
    String[] args =
        Stream.concat(
                Stream.of(line.split(" ")).map(arg -> arg.equals("RUN") ? run() : arg),
                Stream.of(photos()))
            .toArray(String[]::new);
    Cli cli = Cli.run(args);
    assertEquals(Exit.BAD_FILE, cli.code(), cli.err());
    assertTrue(cli.err().contains(file + ": an image must be a JPEG"), cli.err());
    assertEquals("", cli.out());
  }

  @Test
  void infoSaysWhatIsInTheFolder() {
    Cli cli = Cli.run("data", "info", photos());
    assertEquals(Exit.DONE, cli.code(), cli.err());
    assertTrue(
        cli.out()
            .contains(
                "16 images to train with, 4 to validate epochs with and 8 to test with, 3×32×32, 2"
                    + " classes"),
        cli.out());
    assertTrue(cli.out().contains("files: 14 jpeg, 14 png; the smallest 30×60, "), cli.out());
    assertTrue(cli.out().contains("the largest 65×39"), cli.out());
    assertTrue(cli.out().contains("notes.jpg: an image must be"), cli.out());
    assertTrue(cli.out().contains("empty.png: an image must be"), cli.out());
    JsonNode json = Cli.run("data", "info", photos(), "--size", "40", "--json").json();
    assertEquals("[3,40,40]", json.path("size").toString());
    assertEquals("{\"jpeg\":14,\"png\":14}", json.path("files").path("formats").toString());
    assertEquals(2, json.path("files").path("skipped").size());
    assertTrue(Cli.run("data", "info", "digits", "--json").json().path("files").isNull());
  }

  /// The nets for photos have a size of their own, others that of the images or 32.
  @ParameterizedTest
  @CsvSource({
    "resnet18, '', photos from their files at 224×224",
    "resnet20, --batch 8, cropped from a border of 4",
    "resnet20, --size 48, photos from their files at 48×48",
    "mlp, --size 8, 'photos from their files at 8×8, the centre'"
  })
  void theSizeIsThatOfTheNet(String model, String more, String expected) {
    String[] args =
        Stream.of("train " + model + " --dry-run " + more + " --data " + photos())
            .flatMap(line -> Stream.of(line.split(" +")))
            .toArray(String[]::new);
    Cli cli = Cli.run(args);
    assertEquals(Exit.DONE, cli.code(), cli.err());
    assertTrue(cli.out().contains(expected), cli.out());
  }

  @Test
  void sizesWithoutAMeaningAreRefused() {
    Cli digits = Cli.run("train", "resnet20", "--data", "digits", "--size", "32");
    assertEquals(Exit.USAGE, digits.code());
    assertTrue(digits.err().contains("--size is for a folder of images"), digits.err());
    Cli negative = Cli.run("train", "resnet20", "--data", photos(), "--size", "-1");
    assertEquals(Exit.USAGE, negative.code());
    Cli own = Cli.run("train", "resnet20", "--data", photos(), "--val", "3", "--out", run() + "2");
    assertEquals(Exit.USAGE, own.code());
    assertTrue(own.err().contains("leave out --val"), own.err());
    assertFalse(Files.exists(Path.of(run() + "2")));
    Cli resumed = Cli.run("train", "--resume", run(), "--size", "8");
    assertEquals(Exit.USAGE, resumed.code());
  }
}
