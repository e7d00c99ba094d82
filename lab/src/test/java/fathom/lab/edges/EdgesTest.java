package fathom.lab.edges;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.Layer;
import fathom.Scope;
import fathom.Tensor;
import fathom.lab.ledger.Notebook;
import fathom.nn.Init;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Scenes are what they say, and what is measured of them has answers worked by hand.
class EdgesTest {
  private static final double EXACT = 1e-12;

  @Test
  void aSceneIsAFunctionOfItsIndex() {
    var scenes = Scenes.of(3, "test", 1, 8);
    List<Scene> all = scenes.take(6);
    assertArrayEquals(all.get(4).pixels(), scenes.at(4).pixels());
    assertNotEquals(all.get(4).outlinePixels(), all.get(5).outlinePixels());
    for (Scene scene : all) {
      assertTrue(scene.objects() >= 1 && scene.objects() <= 8);
    }
  }

  /// The true outline of what was drawn, found anew from the brightness.
  @Test
  void theOutlineIsWhereTheBrightnessOfObjectsChanges() {
    Scene scene = Scenes.of(1, "outline", 3, 3).withNoise(0).at(0);
    int side = scene.side();
    int outline = 0;
    for (int y = 0; y < side; y++) {
      for (int x = 0; x < side; x++) {
        float here = scene.pixels()[y * side + x];
        boolean below = y + 1 < side && Math.abs(scene.pixels()[(y + 1) * side + x] - here) > 0.05;
        boolean right = x + 1 < side && Math.abs(scene.pixels()[y * side + x + 1] - here) > 0.05;
        assertEquals(below || right ? 1 : 0, scene.outline()[y * side + x], y + ", " + x);
        outline += below || right ? 1 : 0;
      }
    }
    assertEquals(outline, scene.outlinePixels());
    assertTrue(outline > 20, "three objects of seven pixels at least");
  }

  @Test
  void contrastScalesTheObjectsAndNothingElse() {
    Scene scene = Scenes.of(1, "contrast", 4, 4).withNoise(0).at(2);
    Scene faint = scene.at(0.25);
    for (int p = 0; p < scene.pixels().length; p++) {
      assertEquals(0.25 * scene.pixels()[p], faint.pixels()[p], 1e-6);
    }
    assertArrayEquals(scene.outline(), faint.outline());
    Scene blank = Scenes.of(1, "blank", 0, 0).at(0);
    assertEquals(0, blank.outlinePixels());
    assertArrayEquals(blank.pixels(), blank.at(0.1).pixels(), "noise has no contrast");
    double[] noise = new double[blank.pixels().length];
    for (int p = 0; p < noise.length; p++) {
      noise[p] = blank.pixels()[p];
    }
    assertEquals(0.02, Moments.standardDeviation(noise), 0.002);
  }

  /// Scores 0.9, 0.8, 0.6, 0.4, 0.1 of pixels that are 1, 0, 1, 0, 0.
  @Test
  void detectionByHand() {
    double[] scores = {0.4, 0.9, 0.1, 0.6, 0.8};
    byte[] truth = {0, 1, 0, 1, 0};
    assertEquals(5.0 / 6, Detection.area(scores, truth), EXACT); // one pair of six is wrong
    assertEquals((1 + 2.0 / 3) / 2, Detection.averagePrecision(scores, truth), EXACT);
    assertEquals(2 * 2.0 / (3 + 2), Detection.f(scores, truth, 0.5), EXACT);
    assertEquals(0.5, Detection.recall(scores, truth, 0.7), EXACT);
    assertEquals(0.6, Detection.share(scores, 0.5), EXACT);
    assertEquals(0, Detection.f(scores, truth, 0.95), EXACT);
  }

  @Test
  void momentsByHand() {
    double[] x = {1, 2, 3, 6};
    assertEquals(3.5, Moments.variance(x), EXACT);
    assertEquals(Math.sqrt(12.5), Moments.rms(x), EXACT);
    assertEquals(-2, Moments.slope(x, new double[] {7, 5, 3, -3}), EXACT);
  }

  @Test
  void errorsHaveALabelEach() {
    double[] p = {0.9, 0.9, 0.1, 0.1};
    assertArrayEquals(new byte[] {3, 1, 2, 0}, EdgeImages.errors(p, new byte[] {1, 0, 1, 0}, 0.5));
  }

  /// A learning rate of 10²⁰ makes the second loss no number, in the first of two epochs.
  @Test
  void theLossesOfATrainingThatDivergedAreNoNumbers() {
    try (var _ = Scope.open()) {
      double[] losses =
          new EdgeTraining(1e20, 2)
              .run(
                  EdgeNet.NONE.build(Init.he(1), 4, 40),
                  Scenes.of(1, "train", 1, 3).take(48),
                  1,
                  new Notebook(1, () -> false));
      assertArrayEquals(new double[] {Double.NaN, Double.NaN}, losses);
    }
  }

  /// What the page says of each arm, at the start: layer norm without a bias before it gives an
  /// image and its half the same scores, to ε; every other arm tells them apart. A new bias is 0,
  /// so it is given values as a training would.
  @ParameterizedTest
  @EnumSource(EdgeNet.class)
  void onlyLayerNormWithoutABiasIsBlindToContrast(EdgeNet arm) {
    try (var _ = Scope.open()) {
      Layer net = arm.build(Init.he(5), 4, 40);
      net.state()
          .forEach((name, param) -> {
            long[] shape = param.value().shape().toArray();
            if (shape.length == 1
                && (name.endsWith("bias") || name.endsWith("anchor"))
                && !name.startsWith("head")) {
              double[] values = {0.3, -0.2, 0.4, -0.1, 0.2, 0.1};
              param.value().copy_(Arrays.copyOf(values, (int) shape[0]));
            }
          });
      Scene scene = Scenes.of(2, "contrast", 3, 3).withNoise(0).at(0);
      Tensor whole = net.predict(Scene.images(List.of(scene)));
      Tensor half = net.predict(Scene.images(List.of(scene.at(0.5))));
      double apart = Moments.rms(whole.minus(half).toDoubles());
      double scale = Moments.rms(whole.toDoubles());
      assertTrue(
          arm == EdgeNet.LAYER ? apart < 1e-3 * scale : apart > 1e-2 * scale,
          "%s: %s of %s".formatted(arm, apart, scale));
    }
  }
}
