package fathom.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.Scope;
import fathom.data.Normalization;
import fathom.infer.ModelCard;
import fathom.net.ImageShape;
import fathom.net.MaskNet;
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
import tools.jackson.databind.JsonNode;

/// A net for masks, which has learned nothing, asked for the masks of files.
class MaskPredictionTest {
  @TempDir private Path folder;

  @BeforeEach
  void write() throws IOException {
    MaskNet net = MaskNet.of(1, 2).withLevels(1).withWidth(4);
    var card =
        ModelCard.ofImages(
            net.name(),
            net.options(),
            new ImageShape(1, 16, 16),
            true,
            List.of("background", "outline"),
            Normalization.of(new float[] {0.5f}, new float[] {0.25f}));
    try (var _ = Scope.open()) {
      Weights.write(at("w.safetensors"), net.build(Init.he(1)), card.metadata());
    }
    image("a.png", 7, 11);
    image("b.png", 5, 4);
    Files.createDirectories(at("other"));
    image("other/a.png", 3, 3);
    Files.writeString(at("damaged.png"), "no image");
  }

  private Path at(String name) {
    return folder.resolve(name);
  }

  private void image(String name, int height, int width) throws IOException {
    var image = new BufferedImage(width, height, BufferedImage.TYPE_BYTE_GRAY);
    for (int i = 0; i < height * width; i++) {
      image.getRaster().setSample(i % width, i / width, 0, 37 * i % 256);
    }
    ImageIO.write(image, "png", at(name).toFile());
  }

  private Cli predict(String... rest) {
    String[] call = new String[rest.length + 2];
    call[0] = "predict";
    call[1] = at("w.safetensors").toString();
    for (int i = 0; i < rest.length; i++) {
      boolean word = rest[i].startsWith("--") || !rest[i].matches(".*[.a-z].*");
      call[i + 2] = word ? rest[i] : at(rest[i]).toString();
    }
    return Cli.run(call);
  }

  @Test
  void everyImageGetsAMask() throws IOException {
    Cli cli = predict("a.png", "b.png", "damaged.png", "--out", "masks", "--json");
    assertEquals(Exit.BAD_FILE, cli.code(), cli.err());
    JsonNode answer = cli.json();
    assertEquals("masknet", answer.path("model").asString());
    assertEquals(2, answer.path("predictions").size());
    assertEquals(1, answer.path("skipped").size());
    int[][] sizes = {{7, 11}, {5, 4}};
    for (int i = 0; i < 2; i++) {
      JsonNode each = answer.path("predictions").path(i);
      Path mask = Path.of(each.path("mask").asString());
      assertEquals(at("masks").resolve(i == 0 ? "a.mask.png" : "b.mask.png"), mask);
      BufferedImage read = ImageIO.read(mask.toFile());
      assertEquals(sizes[i][0], read.getHeight());
      assertEquals(sizes[i][1], read.getWidth());
      double[] counted = new double[2];
      int pixels = read.getHeight() * read.getWidth();
      for (int p = 0; p < pixels; p++) {
        counted[read.getRaster().getSample(p % read.getWidth(), p / read.getWidth(), 0)]++;
      }
      for (int k = 0; k < 2; k++) {
        JsonNode share = each.path("shares").path(k);
        assertEquals(k == 0 ? "background" : "outline", share.path("class").asString());
        assertEquals(counted[k] / pixels, share.path("share").asDouble(), 1e-12);
      }
    }
    Cli shown = predict("a.png", "--out", "masks");
    assertEquals(Exit.DONE, shown.code(), shown.err());
    assertTrue(shown.out().contains("a.mask.png") && shown.out().contains(" %"), shown.out());
  }

  @Test
  void nothingIsWrittenWhereItIsNotWanted() throws IOException {
    Cli missing = predict("a.png");
    assertEquals(Exit.USAGE, missing.code(), missing.err());
    assertTrue(missing.err().contains("--out"), missing.err());
    Cli twice = predict("a.png", "other/a.png", "--out", "masks");
    assertEquals(Exit.USAGE, twice.code(), twice.err());
    assertTrue(twice.err().contains("a.mask.png"), twice.err());
    assertFalse(Files.exists(at("masks")));
    Files.copy(at("a.png"), at("b.mask.png"));
    byte[] before = Files.readAllBytes(at("b.mask.png"));
    Files.createSymbolicLink(at("link"), folder);
    for (String out : List.of("", "link", "other/..")) {
      Cli own = predict("b.png", "b.mask.png", "--out", out.isEmpty() ? "./." : out);
      assertEquals(Exit.USAGE, own.code(), out + own.err());
      assertTrue(own.err().contains("would be replaced by a mask"), own.err());
    }
    assertArrayEquals(before, Files.readAllBytes(at("b.mask.png")));
    Cli file = predict("a.png", "--out", "b.png");
    assertEquals(Exit.BAD_FILE, file.code(), file.err());
    Cli top = predict("a.png", "--out", "masks", "--classes", "5");
    assertEquals(Exit.USAGE, top.code(), top.err());
  }

  /// Trained by the command line, measured, exported, and asked as a run and as a file.
  @Test
  void aRunAboutMasksPredictsAndSoDoesItsExport() throws IOException {
    for (String part : List.of("train", "test")) {
      for (String kind : List.of("images", "masks")) {
        Files.createDirectories(at("set/" + kind + "/" + part));
      }
      for (int i = 0; i < 4; i++) {
        image("set/images/" + part + "/" + i + ".png", 18, 20);
        var mask = new BufferedImage(20, 18, BufferedImage.TYPE_BYTE_GRAY);
        mask.getRaster().setSample(3 + i, 5, 0, 1);
        ImageIO.write(mask, "png", at("set/masks/" + part + "/" + i + ".png").toFile());
      }
    }
    String run = at("run").toString();
    Cli trained =
        Cli.run(
            "train",
            "masknet",
            "--data",
            "masks:" + at("set"),
            "--width",
            "4",
            "--layers",
            "1",
            "--size",
            "16",
            "--epochs",
            "1",
            "--batch",
            "2",
            "--out",
            run);
    assertEquals(Exit.DONE, trained.code(), trained.err());
    String exported = at("exported.safetensors").toString();
    assertEquals(Exit.DONE, Cli.run("export", run, exported).code());
    String image = at("a.png").toString();
    String out = at("out").toString();
    Cli ofRun = Cli.run("predict", run, image, "--out", out, "--json");
    assertEquals(Exit.DONE, ofRun.code(), ofRun.err());
    byte[] mask = Files.readAllBytes(at("out/a.mask.png"));
    Files.delete(at("out/a.mask.png"));
    Cli ofFile = Cli.run("predict", exported, image, "--out", out, "--json");
    assertEquals(ofRun.out(), ofFile.out(), ofFile.err());
    assertArrayEquals(mask, Files.readAllBytes(at("out/a.mask.png")));
    assertEquals(
        Exit.DONE, Cli.run("predict", run, image, "--out", out, "--best", "--json").code());
    Cli described = Cli.run("predict", run, image, "--out", out, "--classes", "a,b");
    assertEquals(Exit.USAGE, described.code(), described.err());
    Cli text = Cli.run("sample", run);
    assertEquals(Exit.USAGE, text.code(), text.err());
    assertTrue(text.err().contains("learned masks"), text.err());
    try (var predictor = Run.open(at("run")).maskPredictor();
        var best = Run.open(at("run")).bestMaskPredictor()) {
      assertArrayEquals(mask, predictor.predict(at("a.png")).png());
      assertEquals(predictor.classes(), best.classes());
    }
  }
}
