package fathom.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Masks through every command: white squares on noise, of which the mask is the square.
class MasksCommandTest {
  private static final int SIDE = 24;

  @TempDir private Path dir;

  private String masks() throws IOException {
    for (String part : List.of("train", "test")) {
      for (int i = 0; i < 6; i++) {
        var image = new BufferedImage(SIDE, SIDE, BufferedImage.TYPE_INT_RGB);
        var mask = new BufferedImage(SIDE, SIDE, BufferedImage.TYPE_BYTE_GRAY);
        for (int y = 0; y < SIDE; y++) {
          for (int x = 0; x < SIDE; x++) {
            boolean inside = x >= i && x < i + 10 && y >= 4 + i && y < 14 + i;
            int noise = (x * 31 + y * 17 + i * 7) % 60;
            Color colour =
                inside ? new Color(230, 230 - noise, 220) : new Color(noise, 20, 90 - noise);
            image.setRGB(x, y, colour.getRGB());
            mask.getRaster().setSample(x, y, 0, inside ? 1 : 0);
          }
        }
        Path images = Files.createDirectories(dir.resolve("squares/images").resolve(part));
        Path truth = Files.createDirectories(dir.resolve("squares/masks").resolve(part));
        ImageIO.write(image, "png", images.resolve(i + ".png").toFile());
        ImageIO.write(mask, "png", truth.resolve(i + ".png").toFile());
      }
    }
    return "masks:" + dir.resolve("squares");
  }

  @Test
  void masksGoThroughEveryCommand() throws IOException {
    String data = masks();
    String run = dir.resolve("run").toString();
    Cli info = Cli.run("data", "info", data, "--json");
    assertEquals(Exit.DONE, info.code(), info.err());
    assertEquals(6, info.json().path("train").asInt());
    assertEquals(
        100.0 / (SIDE * SIDE), info.json().path("classes").path(1).path("share").asDouble(), 1e-12);

    Cli trained =
        Cli.run(
            "train",
            "masknet",
            "--data",
            data,
            "--layers",
            "2",
            "--width",
            "8",
            "--size",
            "24",
            "--epochs",
            "30",
            "--batch",
            "3",
            "--out",
            run,
            "--json",
            "--quiet");
    assertEquals(Exit.DONE, trained.code(), trained.err());
    assertTrue(trained.json().path("iou").asDouble() > 80, trained.out());
    assertEquals(6, trained.json().path("count").asInt());

    Cli measured = Cli.run("eval", run, "--json");
    assertEquals(Exit.DONE, measured.code(), measured.err());
    for (String figure : List.of("f", "precision", "recall", "iou", "error")) {
      assertEquals(
          trained.json().path(figure).asDouble(),
          measured.json().path(figure).asDouble(),
          0.2,
          figure);
    }

    String report = Files.readString(Path.of(run, "report.html"));
    assertTrue(report.contains("Intersection over union"));
    assertTrue(report.contains(">truth<") && report.contains(">prediction<"), "side by side");
    assertTrue(report.contains("squares of 24×24 out of the images"));

    Cli further = Cli.run("train", "--resume", run, "--epochs", "31", "--json");
    assertEquals(Exit.DONE, further.code(), further.err());
    assertEquals(31, further.json().path("epochs").asInt());
  }

  @Test
  void whatMasksDoNotHaveIsRefused() throws IOException {
    String data = masks();
    refused("learns masks", "train", "masknet", "--data", data, "--precision", "bf16");
    refused("the data is masks", "train", "resnet20", "--data", data);
    refused("the data is images", "train", "masknet", "--data", "digits");
    refused("multiple of 8, but --size is 20", "train", "masknet", "--data", data, "--size", "20");
    refused("a --batch of at most 6", "train", "masknet", "--data", data, "--batch", "7");
    refused("--val is 2", "train", "masknet", "--data", data, "--val", "2");
  }

  private static void refused(String says, String... args) {
    Cli cli = Cli.run(args);
    assertEquals(Exit.USAGE, cli.code(), cli.err());
    assertTrue(cli.err().contains(says), cli.err());
    assertFalse(cli.err().contains("`"), "components are named as options: " + cli.err());
  }
}
