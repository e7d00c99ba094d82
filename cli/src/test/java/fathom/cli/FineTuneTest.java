package fathom.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.Scope;
import fathom.infer.ModelCard;
import fathom.nn.Init;
import fathom.run.Run;
import fathom.train.Weights;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Weights that learned the digits are fine-tuned on a folder of images of two classes.
class FineTuneTest {
  @TempDir private Path folder;
  private String weights;
  private String data;

  @BeforeEach
  void weightsAndImages() throws IOException {
    String run = folder.resolve("digits").toString();
    String all = "train resnet8 --width 4 --data digits --epochs 1 --workers 1 --quiet --out";
    assertEquals(0, Cli.run((all + " " + run).split(" ")).code());
    weights = folder.resolve("weights.safetensors").toString();
    assertEquals(0, Cli.run("export", run, weights).code());
    for (String name : List.of("train/down", "train/across", "test/down", "test/across")) {
      Path to = Files.createDirectories(folder.resolve("images").resolve(name));
      for (int i = 0; i < 8; i++) {
        ImageIO.write(bar(name.endsWith("down"), i), "png", to.resolve(i + ".png").toFile());
      }
    }
    data = "images:" + folder.resolve("images");
  }

  private static BufferedImage bar(boolean down, int at) {
    var image = new BufferedImage(8, 8, BufferedImage.TYPE_BYTE_GRAY);
    for (int i = 0; i < 8; i++) {
      image.setRGB(down ? at : i, down ? i : at, 0xffffff);
    }
    return image;
  }

  private Cli train(String... more) {
    var args =
        new java.util.ArrayList<>(
            List.of("train", "--weights", weights, "--data", data, "--workers", "1"));
    args.addAll(List.of(more));
    return Cli.run(args.toArray(String[]::new));
  }

  @Test
  void theFileSaysWhichNetItIsAndTheRunWhatBecameOfIt() throws IOException {
    String out = folder.resolve("tuned").toString();
    Cli cli = train("--epochs", "2", "--out", out, "--freeze-until", "layer2");
    assertEquals(0, cli.code(), cli.err());
    assertTrue(cli.err().contains("the classifier is new, for "), cli.err());
    assertTrue(cli.err().contains("images are normalised as the file says"), cli.err());
    Run run = Run.open(Path.of(out));
    assertEquals("resnet8", run.recipe().model());
    assertEquals(4, run.recipe().options().width(), "the file says the width");
    assertEquals(List.of("across", "down"), run.info().classes());
    assertEquals("layer2", run.recipe().fineTuning().tuning().freezeUntil());
    String report = Files.readString(run.report());
    assertTrue(report.contains(run.recipe().fineTuning().fingerprint().substring(0, 12)), report);

    Cli other = Cli.run("train", "--resume", out, "--freeze-until", "layer3");
    assertEquals(Exit.USAGE, other.code());
    assertTrue(
        other.err().contains("--freeze-until is layer2 in it, but --freeze-until layer3"),
        other.err());
    Files.delete(Path.of(weights));
    assertEquals(0, Cli.run("train", "--resume", out, "--epochs", "3", "--quiet").code());
    Cli eval = Cli.run("eval", out, "--json");
    assertEquals(16, eval.json().path("count").asInt());
  }

  @Test
  void theRecipeIsSaidBefore() {
    Cli cli = train("--dry-run", "--linear-probe", "2", "--layer-decay", "0.5");
    assertEquals(0, cli.code(), cli.err());
    assertTrue(
        cli.out()
            .contains(
                "the classifier alone in the first 2 epochs; learning rate times 0.5 for each block"
                    + " before the classifier"),
        cli.out());
    assertTrue(cli.out().contains("down to 0 along a cosine"), cli.out());
  }

  /// Few images have a fitted classifier unless the user wants it drawn.
  @Test
  void howANewClassifierBeginsIsSaid() {
    Cli fitted = train("--dry-run");
    assertEquals(0, fitted.code(), fitted.err());
    String says = "and begins fitted to the training images; images are normalised";
    assertTrue(fitted.err().contains(says), fitted.err());
    assertTrue(
        fitted.out().contains("the classifier new, fitted to the training images at first"),
        fitted.out());
    Cli drawn = train("--dry-run", "--new-head", "drawn");
    assertEquals(0, drawn.code(), drawn.err());
    assertFalse(drawn.err().contains("fitted"), drawn.err());
    assertTrue(drawn.out().contains("the classifier new, images"), drawn.out());
  }

  /// 16 images are 1 batch as usual, and 4 of 4: the warm-up goes by the batch that there is.
  @Test
  void theWarmUpIsAnEpochOfTheBatchesAsTheyAre() {
    for (var each : List.of(List.of("16", "1"), List.of("4", "4"))) {
      Cli cli = train("--dry-run", "--batch", each.getFirst());
      assertEquals(0, cli.code(), cli.err());
      assertTrue(cli.out().contains(", %s steps at a tenth".formatted(each.get(1))), cli.out());
    }
    Cli half = train("--dry-run", "--batch", "4", "--warm-up", "0.5");
    assertTrue(half.out().contains(", 2 steps at a tenth"), half.out());
    Cli cycle = train("--dry-run", "--schedule", "one-cycle");
    assertEquals(0, cycle.code(), cycle.err());
    assertFalse(cycle.out().contains("a tenth"), "one cycle warms up by itself: " + cycle.out());
  }

  /// The folder's classes are sorted by name, and the weights have them in another order.
  @Test
  void aClassifierOfTheSameClassesIsReorderedAndSaysSo() {
    String out = folder.resolve("tuned").toString();
    assertEquals(0, train("--epochs", "1", "--out", out, "--quiet").code());
    Path turned = folder.resolve("turned.safetensors");
    try (var _ = Scope.open()) {
      Run run = Run.open(Path.of(out));
      ModelCard card = run.card(run.normalization());
      var other =
          ModelCard.ofImages(
              "resnet8",
              card.options(),
              card.input(),
              false,
              List.of("down", "across"),
              card.normalization());
      var net = run.imageNet(Init.zeros());
      Weights.read(run.checkpoint(), net);
      Weights.write(turned, net, other.metadata());
    }
    weights = turned.toString();
    Cli cli = train("--epochs", "1", "--out", folder.resolve("again").toString());
    assertEquals(0, cli.code(), cli.err());
    assertTrue(
        cli.err()
            .contains(
                "the classifier is kept, its rows in the order 'across', 'down' (2) of the data,"
                    + " which is 'down', 'across' (2) in the file"),
        cli.err());
    Cli kept = train("--dry-run", "--new-head", "fitted");
    assertEquals(Exit.USAGE, kept.code());
    assertTrue(kept.err().contains("is kept; leave it out"), kept.err());
  }

  @Test
  void whatDoesNotFitIsRefused() {
    Cli net = train("--dry-run", "--epochs", "1", "resnet20");
    assertEquals(Exit.USAGE, net.code());
    assertTrue(net.err().contains("the file says resnet8"), net.err());
    Cli layer = train("--freeze-until", "layer4");
    assertEquals(Exit.USAGE, layer.code());
    assertTrue(layer.err().contains("did you mean \"layer1\""), layer.err());
    Cli text = Cli.run("train", "--weights", weights, "--data", "text:" + weights);
    assertFalse(text.code() == 0, "a text is no images");
  }
}
