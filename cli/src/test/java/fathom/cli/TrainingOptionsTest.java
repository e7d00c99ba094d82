package fathom.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.io.Json;
import fathom.run.Run;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// The range test, early stopping, unequal classes and calibration, as a user calls them.
class TrainingOptionsTest {
  @TempDir private Path folder;

  private Cli train(String... more) {
    var args = new ArrayList<>(List.of("train", "mlp", "--workers", "1", "--hidden", "16"));
    args.addAll(List.of(more));
    return Cli.run(args.toArray(String[]::new));
  }

  /// Twelve images of dark and three, or another number, of light.
  private String images(int light) throws IOException {
    for (String part : List.of("train", "test")) {
      for (int i = 0; i < 12 + light; i++) {
        Path to = folder.resolve("data").resolve(part).resolve(i < 12 ? "dark" : "light grey");
        Files.createDirectories(to);
        var image = new BufferedImage(8, 8, BufferedImage.TYPE_BYTE_GRAY);
        image.setRGB(i % 8, i / 8, i < 12 ? 0x333333 : 0xffffff);
        ImageIO.write(image, "png", to.resolve(i + ".png").toFile());
      }
    }
    return "images:" + folder.resolve("data");
  }

  @Test
  void aRangeTestSuggestsARateAndTrainsNothing() throws IOException {
    String out = folder.resolve("pages").toString();
    Cli cli = train("--data", "digits", "--batch", "32", "--find-lr", "--json", "--out", out);
    assertEquals(0, cli.code(), cli.err());
    JsonNode answer = Json.parse(cli.out());
    double minimum = answer.path("minimum").asDouble();
    assertEquals(minimum / 10, answer.path("suggested").asDouble(), 1e-12);
    assertTrue(minimum > 1e-4 && minimum <= 10, cli.out());
    assertEquals(1e-7, answer.path("points").path(0).path("rate").asDouble());
    try (var files = Files.list(Path.of(out))) {
      assertEquals(List.of(folder.resolve("pages/learning-rate-mlp-digits.html")), files.toList());
    }
    String page = Files.readString(Path.of(answer.path("report").asString()));
    assertTrue(page.contains("Loss at rising learning rates"), "the curve");
    Cli text = train("--data", "digits", "--batch", "32", "--find-lr", "--out", out);
    assertTrue(text.out().contains("a tenth of that: try --lr"), text.out());
    assertTrue(text.out().contains("|*"), "a chart: " + text.out());
  }

  @Test
  void aTrainingThatStopsEarlySaysWhenAndWhy() throws IOException {
    String out = folder.resolve("run").toString();
    Cli cli =
        train(
            "--data",
            "digits",
            "--val",
            "100",
            "--early-stop",
            "1,100",
            "--epochs",
            "9",
            "--out",
            out);
    assertEquals(0, cli.code(), cli.err());
    assertTrue(
        cli.out()
            .contains(
                "stopped early, after epoch 2 of 9: for an epoch the validation error was not 100.00 points below that of epoch 1"),
        cli.out());
    Run run = Run.open(Path.of(out));
    String report = Files.readString(run.report());
    assertTrue(report.contains("after 2 of 9 epochs. It stopped early, after epoch 2"), "lead");
    assertTrue(report.contains("Reliability diagram"), "calibration");
    Cli again = Cli.run("train", "--resume", out, "--json");
    assertEquals(2, Json.parse(again.out()).path("earlyStop").path("epoch").asInt(), again.err());
    Cli further = Cli.run("train", "--resume", out, "--early-stop", "0", "--epochs", "3", "--json");
    assertTrue(Json.parse(further.out()).path("earlyStop").isNull(), further.out());
    Cli eval = Cli.run("eval", out, "--calibrate", "--tta", "flip", "--json");
    assertEquals(0, eval.code(), eval.err());
    JsonNode measured = Json.parse(eval.out());
    assertEquals(100, measured.path("scaling").path("fittedOn").asInt());
    assertEquals(15, measured.path("calibration").path("bins").size());
    assertTrue(measured.path("calibrationError").asDouble() >= 0);
    Cli crops = Cli.run("eval", out, "--ten-crop");
    assertEquals(2, crops.code());
    assertTrue(crops.err().contains("give --tta flip"), crops.err());
    assertEquals(2, Cli.run("eval", out, "--ten-crop", "--tta", "flip").code());
  }

  /// What the training itself has fitted and measured is what `eval` finds.
  @Test
  void evalAgreesWithTheRun() {
    String out = folder.resolve("run").toString();
    assertEquals(
        0, train("--data", "digits", "--val", "100", "--epochs", "1", "--out", out).code());
    var answers = Run.open(Path.of(out)).answers().orElseThrow();
    JsonNode eval = Json.parse(Cli.run("eval", out, "--calibrate", "--json").out());
    assertEquals(
        Objects.requireNonNull(answers.scaling()).temperature(),
        eval.path("scaling").path("temperature").asDouble(),
        1e-4);
    assertEquals(
        Objects.requireNonNull(answers.calibration()).error(),
        eval.path("calibrationError").asDouble(),
        1e-4);
  }

  @Test
  void aRunWithoutValidationImagesIsNotCalibrated() {
    String out = folder.resolve("run").toString();
    assertEquals(0, train("--data", "digits", "--epochs", "1", "--out", out).code());
    Cli eval = Cli.run("eval", out, "--calibrate");
    assertEquals(2, eval.code());
    assertTrue(eval.err().contains("train with --val"), eval.err());
  }

  @Test
  void unequalClassesAreToldOfUnlessSomethingIsDone() throws IOException {
    String data = images(4);
    String out = folder.resolve("run").toString();
    assertFalse(train("--data", data, "--epochs", "1", "--out", out).err().contains("unequal"));
    Files.delete(folder.resolve("data/train/light grey/15.png"));
    Cli unequal = train("--data", data, "--epochs", "1", "--out", out + "2");
    assertTrue(
        unequal.err().contains("3 training images of 'light grey' and 12 of 'dark'"),
        unequal.err());
    Cli weighted =
        train("--data", data, "--epochs", "1", "--out", out + "3", "--class-weights", "balanced");
    assertFalse(weighted.err().contains("unequal"), weighted.err());
    Run run = Run.open(Path.of(out + "3"));
    assertEquals(
        List.of(15.0 / 24, 15.0 / 6), run.recipe().optimization().classWeights(), "n/(K·n_c)");
    String report = Files.readString(run.report());
    assertTrue(report.contains("dark: 12, light grey: 3"), "counts");
    assertTrue(report.contains("weighted in the loss by 0.625, 2.500"), "weights");
    assertFalse(
        train("--data", data, "--epochs", "1", "--out", out + "4", "--balanced-sampling")
            .err()
            .contains("unequal"));
  }

  @Test
  void weightsComeFromAListOrAFile() throws IOException {
    String data = images(3);
    Path file = folder.resolve("weights.txt");
    Files.writeString(file, "light grey\t3.5\n\ndark 0.5\n");
    for (String given : List.of("0.5,3.5", file.toString())) {
      Cli cli = train("--data", data, "--class-weights", given, "--dry-run", "--json");
      assertEquals(0, cli.code(), cli.err());
      assertEquals(
          "[0.5,3.5]",
          Json.parse(cli.out()).path("descent").path("classWeights").toString(),
          given);
    }
    for (String lines :
        List.of("dark 1", "dark 1\ndark 2\nlight grey 3", "dusk 1", "dark x", "1")) {
      Files.writeString(file, lines);
      assertEquals(3, train("--data", data, "--class-weights", file.toString()).code(), lines);
    }
    Files.writeString(file, "dark -1\nlight grey 2");
    Cli negative = train("--data", data, "--class-weights", file.toString());
    assertEquals(2, negative.code());
    assertTrue(negative.err().contains("--class-weights is a number above 0"), negative.err());
  }
}
