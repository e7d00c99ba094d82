package fathom.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.DType;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class InitTest {
  /// Of n normal draws the mean is off by σ/√n and the standard deviation by σ/√(2n), most of the
  /// time.
  private static void assertNormal(double standardDeviation, Tensor weights) {
    double[] w = weights.toDoubles();
    double n = w.length;
    double mean = Arrays.stream(w).sum() / n;
    double square = Arrays.stream(w).map(v -> v * v).sum() / n;
    assertEquals(0, mean, 4 * standardDeviation / Math.sqrt(n), "the mean");
    assertEquals(
        standardDeviation,
        Math.sqrt(square),
        4 * standardDeviation / Math.sqrt(2 * n),
        "the standard deviation");
    double inside = Arrays.stream(w).filter(v -> Math.abs(v) < standardDeviation).count() / n;
    assertEquals(
        0.6827, inside, 4 * 0.47 / Math.sqrt(n), "the share within one standard deviation");
  }

  @Test
  void heDeviatesByTheRootOfTwoByTheNumberOfInputs() {
    try (var _ = Scope.open()) {
      var init = Init.he(1);
      assertNormal(Math.sqrt(2.0 / 50), init.weights("w", 50, 100, 200));
      assertNormal(Math.sqrt(2.0 / (16 * 9)), Conv2d.of(init, "c", 16, 32, 3, 1).weight().value());
      assertNormal(Math.sqrt(2.0 / 64), Conv2d.of(init, "p", 64, 64, 1, 2).weight().value());
      Dense dense = Dense.of(init, "d", 80, 90);
      assertNormal(Math.sqrt(2.0 / 80), dense.weight().value());
      assertArrayEquals(new double[90], dense.bias().value().toDoubles());
    }
  }

  @Test
  void drawnAnchorsHaveAStandardDeviationOfOneAndTellSizesApart() {
    try (var _ = Scope.open()) {
      AnchoredNorm plain = AnchoredNorm.ofFeatures(5000);
      AnchoredNorm drawn = plain.drawn(Init.he(1), "norm");
      assertNormal(1, drawn.anchor().value());
      assertArrayEquals(new double[5000], plain.anchor().value().toDoubles());
      assertArrayEquals(
          Init.he(1).weights("norm.anchor", 2, 5000).toDoubles(),
          drawn.anchor().value().toDoubles());
      Tensor x = Tensor.normal(RandomKey.of(3, "x"), DType.FLOAT32, 2, 5000);
      Tensor twice = x.times(2);
      assertTrue(mostApart(plain.predict(x), plain.predict(twice)) < 1e-4);
      assertTrue(mostApart(drawn.predict(x), drawn.predict(twice)) > 0.1);
    }
  }

  private static double mostApart(Tensor a, Tensor b) {
    return Arrays.stream(a.minus(b).toDoubles()).map(Math::abs).max().orElseThrow();
  }

  @Test
  void aDrawDependsOnSeedAndPathAndOnNothingElse() {
    try (var _ = Scope.open()) {
      double[] first = Init.he(1).weights("a.weight", 8, 4, 8).toDoubles();
      var init = Init.he(1);
      init.weights("b.weight", 8, 100, 8);
      assertArrayEquals(first, init.weights("a.weight", 8, 4, 8).toDoubles());
      assertArrayEquals(first, init.weights("a.weight", 8, 2, 2, 8).toDoubles());
      assertArrayEquals(first, init.in("a").weights("weight", 8, 4, 8).toDoubles());
      assertFalse(Arrays.equals(first, init.weights("b.weight", 8, 4, 8).toDoubles()));
      assertFalse(Arrays.equals(first, Init.he(2).weights("a.weight", 8, 4, 8).toDoubles()));
    }
  }

  @Test
  void zerosAreZeros() {
    try (var _ = Scope.open()) {
      assertTrue(
          Arrays.stream(Init.zeros().weights("a", 1, 2, 3, 3, 3).toDoubles())
              .allMatch(v -> v == 0));
    }
  }
}
