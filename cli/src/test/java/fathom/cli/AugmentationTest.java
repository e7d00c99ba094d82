package fathom.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.run.Run;
import fathom.run.Variation;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/// The augmentations and averaged weights as a user asks for them.
class AugmentationTest {
  @TempDir private Path folder;

  /// MODEL may follow an option whose value may be left out.
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "train --randaugment mlp --data digits   | 2 | 9",
        "train mlp --data digits --randaugment   | 2 | 9",
        "train mlp --randaugment 3 --data digits | 3 | 9",
        "train mlp --randaugment=1,20 --data digits | 1 | 20",
      })
  void randAugmentHasTheUsualNumbers(String args, int operations, int magnitude) {
    Cli cli = Cli.run((args + " --val 1430 --epochs 1 --dry-run --json").split("\\s+"));
    assertEquals(Exit.DONE, cli.code(), cli.err());
    JsonNode said = cli.json().path("preparation").path("augmentation");
    assertEquals(operations, said.path("randAugment").asInt());
    assertEquals(magnitude, said.path("magnitude").asInt());
  }

  @Test
  void theRunSaysAllOfIt() throws IOException {
    Path out = folder.resolve("run");
    List<String> options =
        List.of("--mixup", "0.2", "--cutmix", "1", "--trivialaugment", "--erase", "0.25");
    var args = new ArrayList<>(List.of("train", "mlp", "--data", "digits", "--hidden", "4"));
    args.addAll(options);
    args.addAll(
        List.of("--ema", "0.9", "--epochs", "1", "--workers", "1", "--out", out.toString()));
    Cli cli = Cli.run(args.toArray(String[]::new));
    assertEquals(Exit.DONE, cli.code(), cli.err());
    assertTrue(cli.err().contains("against the label with the larger share"), cli.err());
    assertTrue(cli.err().contains("a moving average of the weights is evaluated"), cli.err());
    Run run = Run.open(out);
    assertEquals(new Variation(0, 0, true, 0.25, 0.2, 1), run.recipe().preprocessing().variation());
    assertEquals(0.9, run.recipe().optimization().ema());
    String report = Files.readString(run.report());
    assertTrue(
        report.contains(
            "TrivialAugment, erased at random with probability 0.25, mixup of Beta(0.2, 0.2), CutMix of Beta(1.0, 1.0), one of both for each batch"),
        report);
    assertTrue(report.contains("a moving average of the weights, of decay 0.9, is evaluated"));
    assertTrue(report.contains("against the label with the larger share"));

    Cli eval = Cli.run("eval", out.toString());
    assertTrue(eval.err().contains("the moving average of those of the training"), eval.err());
    assertTrue(
        cli.out().contains(eval.out().replaceFirst("(?s).*(cross-entropy [0-9.]+);.*", "$1")),
        "the same as at the end of the training: " + eval.out());
    Cli plain = Cli.run("train", "mlp", "--data", "digits", "--val", "1430", "--dry-run");
    assertFalse(plain.out().contains("average") || plain.out().contains("Augment"), plain.out());
  }

  /// The sheet is that of the same size with other images, the same each time.
  @Test
  void theContactSheetShowsWhatANetSees() throws IOException {
    var seen = new HashSet<String>();
    for (String option :
        List.of("", "--mixup=1", "--cutmix=1", "--randaugment", "--trivialaugment", "--erase=1")) {
      for (int i = 0; i < 2; i++) {
        Path sheet = folder.resolve("sheet.png");
        var args = new ArrayList<>(List.of("data", "info", "digits", "--sheet", sheet.toString()));
        if (!option.isEmpty()) {
          args.add(option);
        }
        Cli cli = Cli.run(args.toArray(String[]::new));
        assertEquals(Exit.DONE, cli.code(), cli.err());
        BufferedImage image = ImageIO.read(sheet.toFile());
        assertEquals(12 * 50 + 2, image.getWidth());
        assertEquals(10 * 50 + 2, image.getHeight());
        int[] pixels = image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, 602);
        assertEquals(i == 0, seen.add(Arrays.toString(pixels)), option);
      }
    }
  }
}
