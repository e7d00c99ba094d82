package fathom.infer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.Layer;
import fathom.Param;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.data.MaskImage;
import fathom.data.Normalization;
import fathom.io.BadFileException;
import fathom.net.Architecture;
import fathom.net.ImageShape;
import fathom.net.MaskNet;
import fathom.nn.Init;
import fathom.task.mask.Pixels;
import fathom.train.Weights;
import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MaskPredictorTest {
  private static final MaskNet NET = MaskNet.of(3, 3).withLevels(2).withWidth(4);
  private static final Normalization NORMALIZATION =
      Normalization.of(new float[] {0.4f, 0.5f, 0.6f}, new float[] {0.2f, 0.3f, 0.25f});

  private static final List<String> CLASSES = List.of("background", "edge", "corner");

  @TempDir private static Path folder;

  @BeforeAll
  static void write() throws IOException {
    try (var _ = Scope.open()) {
      Weights.write(weights(), net(), card().metadata());
    }
    for (int[] size : SIZES) {
      ImageIO.write(image(size[0], size[1]), "png", file(size[0], size[1]).toFile());
    }
  }

  /// Heights and widths, of which few are a multiple of four.
  private static final int[][] SIZES = {{1, 1}, {8, 8}, {13, 22}, {30, 5}, {64, 41}};

  private static Path weights() {
    return folder.resolve("masks.safetensors");
  }

  private static Path file(int height, int width) {
    return folder.resolve(height + "x" + width + ".png");
  }

  private static ModelCard card() {
    return ModelCard.ofImages(
        NET.name(), NET.options(), new ImageShape(3, 16, 16), true, CLASSES, NORMALIZATION);
  }

  /// As after a training: running statistics are spread.
  private static Layer net() {
    Layer net = NET.build(Init.he(3));
    int i = 0;
    for (Param param : net.state().values()) {
      RandomKey own = RandomKey.of(1, "masks").at(i++);
      if (param.value().shape().rank() == 1) {
        double[] values = new double[(int) param.value().shape().elements()];
        Arrays.setAll(values, k -> 0.5 + own.uniform(k));
        param.value().copy_(values);
      }
    }
    return net;
  }

  private static BufferedImage image(int height, int width) {
    var image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    RandomKey key = RandomKey.of(height, "image").at(width);
    for (int i = 0; i < height * width; i++) {
      image.setRGB(i % width, i / width, key.below(i, 1 << 24));
    }
    return image;
  }

  /// The scores of the plain net, K×H×W of the image with its border.
  private static void assertLikeliest(Path file, PredictedMask mask) {
    try (var _ = Scope.open()) {
      var pixels = new Pixels(NORMALIZATION.mean(), NORMALIZATION.standardDeviation());
      Tensor scores =
          pixels.predict(net(), MaskImage.of(file, 3), NET.multiple()).scores().contiguous();
      double[] all = scores.toDoubles();
      int plane = (int) (scores.shape().size(2) * scores.shape().size(3));
      int across = (int) scores.shape().size(3);
      for (int y = 0; y < mask.height(); y++) {
        for (int x = 0; x < mask.width(); x++) {
          int at = y * across + x;
          double own = all[mask.labels()[y * mask.width() + x] * plane + at];
          double best = Math.max(all[at], Math.max(all[plane + at], all[2 * plane + at]));
          assertTrue(own >= best - 1e-4, "at (%s, %s) of %s".formatted(x, y, file));
        }
      }
    }
  }

  @Test
  void everySizeGetsTheLikeliestClassOfEveryPixel() {
    long before = Tensor.live();
    try (var predictor = MaskPredictor.open(weights())) {
      var seen = new boolean[3];
      for (int[] size : SIZES) {
        Path file = file(size[0], size[1]);
        PredictedMask mask = predictor.predict(file);
        assertEquals(size[0], mask.height());
        assertEquals(size[1], mask.width());
        assertEquals(CLASSES, mask.classes());
        assertLikeliest(file, mask);
        for (byte label : mask.labels()) {
          seen[label] = true;
        }
        double[] shares = mask.shares();
        assertEquals(1, Arrays.stream(shares).sum(), 1e-12);
        int first = 0;
        for (byte label : mask.labels()) {
          first += label == 0 ? 1 : 0;
        }
        assertEquals((double) first / mask.labels().length, shares[0]);
      }
      assertTrue(seen[0] && (seen[1] || seen[2]), "one class alone shows nothing");
    }
    assertEquals(before, Tensor.live());
  }

  /// Images keep their size, and a program that uses the weights has to know how they are filled
  /// up.
  @Test
  void theFileSaysWhatIsDoneToImages() {
    var said = card().metadata();
    assertTrue(
        said.get("fathom.preprocessing").contains("\"repeatEdgeToMultipleOf\":4"), said.toString());
    assertTrue(
        !said.containsKey("fathom.photographs") && !said.toString().contains("esize"),
        said.toString());
    ModelCard read = ModelCard.of(weights());
    assertTrue(read.isMasks());
    assertEquals(said, read.metadata());
  }

  @Test
  void anImageIsTheSameFromAFileBytesOrPixels() throws IOException {
    try (var predictor = MaskPredictor.of(card(), weights())) {
      Path file = file(13, 22);
      PredictedMask mask = predictor.predict(file);
      assertEquals(mask, predictor.predict(Files.readAllBytes(file)));
      assertEquals(mask, predictor.predict(image(13, 22)));
    }
  }

  /// Its indices are the labels, and its colours those of reports.
  @Test
  void aMaskIsAImageWithAPalette() throws IOException {
    byte[] labels = {0, 1, 2, 9, 8, (byte) 127};
    var classes = new ArrayList<String>();
    for (int k = 0; k < 128; k++) {
      classes.add("class " + k);
    }
    var mask = new PredictedMask(2, 3, labels, classes);
    BufferedImage read = ImageIO.read(new ByteArrayInputStream(mask.png()));
    assertInstanceOf(IndexColorModel.class, read.getColorModel());
    int[] indices = read.getRaster().getPixels(0, 0, 3, 2, (int[]) null);
    assertArrayEquals(new int[] {0, 1, 2, 9, 8, 127}, indices);
    assertEquals(0xff101820, read.getRGB(0, 0));
    assertEquals(0xffe69f00, read.getRGB(1, 0));
    assertEquals(0xff56b4e9, read.getRGB(2, 0));
    assertEquals(read.getRGB(2, 0), read.getRGB(0, 1), "colours begin again after the eighth");
    assertThrows(IllegalArgumentException.class, () -> new PredictedMask(2, 2, labels, CLASSES));
  }

  @Test
  void manyThreadsGetWhatOneGetsUntilItIsClosed() throws Exception {
    long before = Tensor.live();
    MaskPredictor predictor = MaskPredictor.open(weights());
    var expected = new ArrayList<PredictedMask>();
    for (int[] size : SIZES) {
      expected.add(predictor.predict(file(size[0], size[1])));
    }
    try (var threads = Executors.newFixedThreadPool(8)) {
      var calls = new ArrayList<Future<PredictedMask>>();
      for (int i = 0; i < 16; i++) {
        int[] size = SIZES[i % SIZES.length];
        calls.add(threads.submit(() -> predictor.predict(file(size[0], size[1]))));
      }
      for (int i = 0; i < 16; i++) {
        PredictedMask got = calls.get(i).get();
        assertEquals(expected.get(i % SIZES.length).toString(), got.toString());
        int[] size = SIZES[i % SIZES.length];
        assertLikeliest(file(size[0], size[1]), got);
      }
    }
    predictor.close();
    assertEquals(before, Tensor.live());
    var e = assertThrows(IllegalStateException.class, () -> predictor.predict(file(8, 8)));
    assertTrue(e.getMessage().contains("this one was closed"), e.getMessage());
  }

  @Test
  void whatIsNoImageOrNoNetForMasksIsRefused() throws IOException {
    Path damaged = folder.resolve("damaged.png");
    byte[] whole = Files.readAllBytes(file(64, 41));
    Files.write(damaged, Arrays.copyOf(whole, whole.length / 2));
    try (var predictor = MaskPredictor.open(weights())) {
      var e = assertThrows(BadFileException.class, () -> predictor.predict(damaged));
      assertTrue(e.getMessage().contains("damaged.png"), e.getMessage());
      predictor.predict(file(8, 8));
    }
    var e = assertThrows(BadFileException.class, () -> ImageClassifier.open(weights()));
    assertTrue(e.getMessage().contains("learned masks"), e.getMessage());
    e = assertThrows(BadFileException.class, () -> TextGenerator.open(weights()));
    assertTrue(e.getMessage().contains("learned masks"), e.getMessage());
    var options = Architecture.Options.NONE;
    var size = new ImageShape(3, 32, 32);
    var classes = ModelCard.ofImages("resnet8", options, size, false, CLASSES, NORMALIZATION);
    var refused =
        assertThrows(IllegalArgumentException.class, () -> MaskPredictor.of(classes, weights()));
    assertTrue(refused.getMessage().contains("resnet8 learned"), refused.getMessage());
    var grey = new ImageShape(1, 16, 16);
    var channels =
        ModelCard.ofImages(NET.name(), NET.options(), grey, true, CLASSES, NORMALIZATION);
    refused =
        assertThrows(IllegalArgumentException.class, () -> MaskPredictor.of(channels, weights()));
    assertTrue(refused.getMessage().contains("channels"), refused.getMessage());
  }
}
