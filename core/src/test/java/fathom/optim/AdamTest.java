package fathom.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import fathom.DType;
import fathom.FlatParams;
import fathom.Param;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class AdamTest {
  private static double[] all(int count, double value) {
    var values = new double[count];
    Arrays.fill(values, value);
    return values;
  }

  /// Gradients 2 and −1 at learning rate 0.1, from w = 1. By hand:
  ///
  ///     m = 0.2    v = 0.004      m̂ = 2            v̂ = 4             w = 1 − 0.1·2/2
  ///     m = 0.08   v = 0.004996   m̂ = 0.08/0.19    v̂ = 0.004996/0.001999
  ///     w = 0.9 − 0.1 · 0.42105263/1.58090152 = 0.87336629
  ///
  /// Without the corrections the first step would go to 0.6838.
  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "FLOAT64"})
  void twoStepsAreAsByHand(DType type) {
    double[] gradients = {2, -1};
    double[] weights = {0.9, 0.873366296};
    double[] means = {0.2, 0.08};
    double[] squares = {0.004, 0.004996};
    try (var _ = Scope.open()) {
      Param other = Param.of(Tensor.zeros(type, 2, 3));
      Param param = Param.of(Tensor.zeros(type, 5).plus(1)); // 5 elements, and a gap behind them
      FlatParams flat = FlatParams.of(List.of(other, param));
      var adam = new Adam(flat);
      for (int i = 0; i < 2; i++) {
        param.grad().add_(Tensor.zeros(type, 5).plus(gradients[i]));
        adam.step(0.1);
        assertArrayEquals(all(5, weights[i]), param.value().toDoubles(), 1e-7, "after step " + i);
        assertArrayEquals(
            all(5, means[i]),
            flat.part(Objects.requireNonNull(adam.blocks().get("mean")), 1).toDoubles(),
            1e-7);
        assertArrayEquals(
            all(5, squares[i]),
            flat.part(Objects.requireNonNull(adam.blocks().get("square")), 1).toDoubles(),
            1e-8);
        assertArrayEquals(new double[5], param.grad().toDoubles(), "a step spends the gradients");
        assertArrayEquals(new double[6], other.value().toDoubles(), "zero stays zero");
        assertEquals(
            5 * weights[i],
            Tensor.over(flat.values(), type, false, flat.count()).sum().item(),
            1e-6,
            "the gaps stay zero");
      }
    }
  }

  /// The same moments with a decay of 1/2, which at learning rate 0.1 keeps 0.95 of the weight
  /// outside them:
  ///
  ///     w = 0.95·1 − 0.1 = 0.85        w = 0.95·0.85 − 0.02663370 = 0.78086630
  ///
  /// A decay that were added to the gradient would change the moments and hardly the steps: Adam
  /// divides it away.
  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "FLOAT64"})
  void decayIsOutsideTheMoments(DType type) {
    try (var _ = Scope.open()) {
      Param param = Param.of(Tensor.zeros(type, 1).plus(1));
      FlatParams flat = FlatParams.of(List.of(param));
      var adam = new Adam(flat, 0, 0.5);
      param.grad().add_(new double[] {2});
      adam.step(0.1);
      assertEquals(0.85, param.value().item(), 1e-7);
      param.grad().add_(new double[] {-1});
      adam.step(0.1);
      assertEquals(0.780866296, param.value().item(), 1e-7);
      assertEquals(
          0.08,
          flat.part(Objects.requireNonNull(adam.blocks().get("mean")), 0).item(),
          1e-7,
          "the moments are those of the gradients alone");
      for (double bad : new double[] {-1, Double.NaN, Double.POSITIVE_INFINITY}) {
        assertThrows(IllegalArgumentException.class, () -> new Adam(flat, 0, bad));
      }
    }
  }

  /// The paper's algorithm 1 as it stands there, in float64, over many steps of a random gradient.
  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "FLOAT64"})
  void manyStepsAreThoseOfTheAlgorithm(DType type) {
    double w = 0.5;
    double m = 0;
    double v = 0;
    try (var _ = Scope.open()) {
      Param param = Param.of(Tensor.zeros(type, 1).plus(w));
      var adam = new Adam(FlatParams.of(List.of(param)));
      for (int t = 1; t <= 200; t++) {
        double g = RandomKey.of(1, "gradient").normal(t) * (t % 7 == 0 ? 1e-4 : 1);
        double learningRate = t < 100 ? 0.01 : 0.001;
        m = 0.9 * m + 0.1 * g;
        v = 0.999 * v + 0.001 * g * g;
        w -=
            learningRate
                * (m / (1 - Math.pow(0.9, t)))
                / (Math.sqrt(v / (1 - Math.pow(0.999, t))) + 1e-8);
        param.grad().add_(new double[] {g});
        adam.step(learningRate);
        double tolerance = type == DType.FLOAT64 ? 1e-13 : 2e-6;
        assertEquals(w, param.value().item(), tolerance, "step " + t);
      }
    }
  }

  @Test
  void itGoesOnFromItsBlocksAndItsNumberOfSteps() {
    try (var _ = Scope.open()) {
      Param whole = Param.of(Tensor.of(new float[] {1, 2, 3}, 3));
      Param broken = Param.of(Tensor.of(new float[] {1, 2, 3}, 3));
      var flat = FlatParams.of(List.of(broken));
      var unbroken = new Adam(FlatParams.of(List.of(whole)));
      var first = new Adam(flat);
      for (int t = 0; t < 3; t++) {
        step(whole, unbroken, t);
        step(broken, first, t);
      }
      var second = new Adam(flat, 3);
      first
          .blocks()
          .forEach(
              (name, block) -> Objects.requireNonNull(second.blocks().get(name)).copyFrom(block));
      for (int t = 3; t < 6; t++) {
        step(whole, unbroken, t);
        step(broken, second, t);
      }
      assertArrayEquals(whole.value().toDoubles(), broken.value().toDoubles());
    }
    try (var _ = Scope.open()) {
      var flat = FlatParams.of(List.of(Param.of(Tensor.zeros(DType.FLOAT32, 1))));
      assertThrows(IllegalArgumentException.class, () -> new Adam(flat, -1));
    }
  }

  private static void step(Param param, Adam adam, int t) {
    param.grad().add_(new double[] {t, -1, 0.5 * t * t});
    adam.step(0.1);
  }
}
