package fathom.loss;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.Collective;
import fathom.DType;
import fathom.Draw;
import fathom.Scope;
import fathom.Step;
import fathom.Tensor;
import fathom.Traced;
import org.junit.jupiter.api.Test;

class CrossEntropyTest {
  /// Logits (0, ln 3) have the probabilities 1/4 and 3/4; (ln 2, 0) have 2/3 and 1/3. With the
  /// labels 1 and 1 the loss is (ln 4/3 + ln 3) / 2, and the gradient (p − one-hot) / 2.
  @Test
  void isWhatAHandComputes() {
    try (var _ = Scope.open()) {
      Tensor logits = Tensor.of(new double[] {0, Math.log(3), Math.log(2), 0}, 2, 2);
      Traced loss = CrossEntropy.of(logits, new int[] {1, 1});
      assertEquals((Math.log(4.0 / 3) + Math.log(3)) / 2, loss.value().item(), 1e-15);
      double[] gradient = loss.back(Tensor.scalar(DType.FLOAT64, 1)).toDoubles();
      assertArrayEquals(new double[] {0.125, -0.125, 1.0 / 3, -1.0 / 3}, gradient, 1e-15);
      assertEquals(2 * loss.value().item(), CrossEntropy.sum(logits, new int[] {1, 1}), 1e-15);
    }
  }

  @Test
  void agreesWithCentralDifferences() {
    try (var _ = Scope.open()) {
      Tensor logits = Tensor.normal(new Draw(3), DType.FLOAT64, 4, 5);
      int[] labels = {0, 4, 2, 2};
      double[] gradient =
          CrossEntropy.of(logits, labels).back(Tensor.scalar(DType.FLOAT64, 1)).toDoubles();
      double h = 1e-6;
      for (int i = 0; i < gradient.length; i++) {
        double[] nudge = new double[gradient.length];
        nudge[i] = h;
        Tensor step = Tensor.of(nudge, 4, 5);
        double up = CrossEntropy.of(logits.plus(step), labels).value().item();
        double down = CrossEntropy.of(logits.minus(step), labels).value().item();
        assertEquals((up - down) / (2 * h), gradient[i], 1e-9);
      }
    }
  }

  @Test
  void aShareIsDividedByTheWholeBatch() {
    try (var _ = Scope.open()) {
      Tensor logits = Tensor.normal(new Draw(3), DType.FLOAT64, 2, 3);
      double alone = CrossEntropy.of(logits, new int[] {0, 2}).value().item();
      double share =
          new Step(1, 0, Collective.ALONE, 8)
              .run(() -> CrossEntropy.of(logits, new int[] {0, 2}).value().item());
      assertEquals(alone / 4, share, 1e-15);
    }
  }

  @Test
  void largeLogitsDoNotOverflow() {
    try (var _ = Scope.open()) {
      Tensor logits = Tensor.of(new float[] {10_000, 0, -10_000, 0}, 2, 2);
      Traced loss = CrossEntropy.of(logits, new int[] {0, 1});
      assertEquals(0, loss.value().item());
      assertArrayEquals(
          new double[4], loss.back(Tensor.scalar(DType.FLOAT32, 1)).toDoubles(), 1e-6);
    }
  }

  @Test
  void labelsThatFitNoClassAreRefused() {
    try (var _ = Scope.open()) {
      Tensor logits = Tensor.zeros(DType.FLOAT32, 2, 3);
      for (int[] labels : new int[][] {{0, 3}, {-1, 0}, {0}, {0, 1, 2}}) {
        var e = assertThrows(IllegalArgumentException.class, () -> CrossEntropy.of(logits, labels));
        assertTrue(String.valueOf(e.getMessage()).matches(".*(classes|labels).*"), e.getMessage());
      }
    }
  }
}
