package fathom.loss;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.DType;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.Traced;
import fathom.parallel.Collective;
import fathom.parallel.Step;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class PixelLossTest {
  private static final byte NONE = PixelLoss.UNLABELLED;

  /// Two images of 2×3 pixels and three classes.
  private static final byte[] MASKS = {0, 1, 2, 2, NONE, 0, 1, 1, 1, 0, 2, NONE};

  private static Tensor scores(int images) {
    return Tensor.normal(RandomKey.of(5, "scores"), DType.FLOAT32, images, 3, 2, 3);
  }

  static Stream<PixelLoss> losses() {
    return Stream.of(
        PixelLoss.crossEntropy(1, 1, 1), PixelLoss.crossEntropy(1, 2.5f, 4), PixelLoss.dice(3));
  }

  /// One pixel with the scores 0 and ln 3 has the probabilities 1/4 and 3/4.
  @Test
  void crossEntropyIsAsByHand() {
    try (var _ = Scope.open()) {
      Tensor y =
          Tensor.of(new float[] {0, 0, (float) Math.log(3), (float) Math.log(3)}, 1, 2, 1, 2);
      byte[] masks = {0, 1};
      double equal = PixelLoss.crossEntropy(1, 1).of(y, masks).value().item();
      assertEquals((Math.log(4) + Math.log(4.0 / 3)) / 2, equal, 1e-6);
      double weighted = PixelLoss.crossEntropy(3, 1).of(y, masks).value().item();
      assertEquals((3 * Math.log(4) + Math.log(4.0 / 3)) / 4, weighted, 1e-6);
    }
  }

  /// With the same pixels: class 0 has 2·1/4 + 1 over 1/2 + 1 + 1, class 1 has 2·3/4 + 1 over 3/2 +
  /// 1 + 1.
  @Test
  void diceIsAsByHand() {
    try (var _ = Scope.open()) {
      Tensor y =
          Tensor.of(new float[] {0, 0, (float) Math.log(3), (float) Math.log(3)}, 1, 2, 1, 2);
      double loss = PixelLoss.dice(2).of(y, new byte[] {0, 1}).value().item();
      assertEquals(1 - (1.5 / 2.5 + 2.5 / 3.5) / 2, loss, 1e-6);
    }
  }

  /// Central differences in float32: steps of 1/64 make errors of about 1e-4.
  @ParameterizedTest
  @MethodSource("losses")
  void gradientsAreDifferences(PixelLoss loss) {
    try (var _ = Scope.open()) {
      double[] scores = scores(2).toDoubles();
      Traced traced = loss.of(scores(2), MASKS);
      double[] gradient = traced.back(Tensor.scalar(DType.FLOAT32, 1)).toDoubles();
      double h = 1.0 / 64;
      for (int i = 0; i < scores.length; i++) {
        double[] more = scores.clone();
        double[] less = scores.clone();
        more[i] += h;
        less[i] -= h;
        double slope = (at(loss, more) - at(loss, less)) / (2 * h);
        assertEquals(slope, gradient[i], 2e-4, loss.classes() + " classes, score " + i);
      }
    }
  }

  private static double at(PixelLoss loss, double[] scores) {
    try (var _ = Scope.open()) {
      Tensor y = Tensor.of(scores, 2, 3, 2, 3).to(DType.FLOAT32);
      return loss.sum(y, MASKS) / 2;
    }
  }

  /// Two workers with an image each: their shares add up to the whole.
  @ParameterizedTest
  @MethodSource("losses")
  void sharesAddUp(PixelLoss loss) {
    try (var _ = Scope.open()) {
      Tensor all = scores(2);
      double whole = loss.of(all, MASKS).value().item();
      double sum = 0;
      double[] gradients = new double[36];
      for (int i = 0; i < 2; i++) {
        Tensor one = all.narrow(0, i, i + 1);
        byte[] mask = Arrays.copyOfRange(MASKS, 6 * i, 6 * i + 6);
        Traced share = new Step(1, 0, Collective.ALONE, 2).run(() -> loss.of(one, mask));
        sum += share.value().item();
        double[] own = share.back(Tensor.scalar(DType.FLOAT32, 1)).toDoubles();
        System.arraycopy(own, 0, gradients, 18 * i, 18);
      }
      assertEquals(whole, sum, 1e-6);
      assertArrayEquals(
          loss.of(all, MASKS).back(Tensor.scalar(DType.FLOAT32, 1)).toDoubles(), gradients, 1e-7);
    }
  }

  @Test
  void pixelsWithoutALabelCountNowhere() {
    try (var _ = Scope.open()) {
      Tensor y = scores(1);
      for (PixelLoss loss : losses().toList()) {
        byte[] nothing = {NONE, NONE, NONE, NONE, NONE, NONE};
        Traced traced = loss.of(y, nothing);
        double[] gradient = traced.back(Tensor.scalar(DType.FLOAT32, 1)).toDoubles();
        assertArrayEquals(new double[18], gradient);
        assertEquals(0, traced.value().item(), 1e-6);
      }
    }
  }

  @Test
  void rubbishIsRefused() {
    try (var _ = Scope.open()) {
      PixelLoss loss = PixelLoss.dice(3);
      var e =
          assertThrows(
              IllegalArgumentException.class,
              () -> loss.of(scores(1), new byte[] {0, 1, 2, 3, 0, 0}));
      assertTrue(e.getMessage().contains("one is 3"), e.getMessage());
      assertThrows(IllegalArgumentException.class, () -> loss.of(scores(1), new byte[5]));
      assertThrows(
          IllegalArgumentException.class, () -> PixelLoss.dice(2).of(scores(1), new byte[6]));
      assertThrows(IllegalArgumentException.class, () -> PixelLoss.crossEntropy(1, 0));
    }
  }
}
