package fathom.lab.layernorm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import fathom.Scope;
import fathom.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Baird's counterexample worked by hand.
class OffPolicyTest {
  private static final double[] START = {3, 3, 3, 3, 3, 3, 12};

  /// From the book's weights six states are worth 3 and the seventh 12. δ is 0.99·12 − 3 = 8.88 six
  /// times and 0.99·12 − 12 = −0.12 once; each times 0.01/7 goes along the features.
  @Test
  void theFirstUpdate() {
    double[][] features = OffPolicy.features();
    assertArrayEquals(START, OffPolicy.values(features, OffPolicy.start()));
    double[] w = OffPolicy.updated(features, OffPolicy.start());
    for (int i = 0; i < 6; i++) {
      assertEquals(1 + 0.01 / 7 * 8.88 * 2, w[i], 1e-12);
    }
    assertEquals(10 - 0.01 / 7 * 0.12, w[6], 1e-12);
    assertEquals(1 + 0.01 / 7 * (6 * 8.88 - 2 * 0.12), w[7], 1e-12);
  }

  /// All weights are alike for six states, so that an update is a matrix of 3×3 for w₁, w₇ and w₈;
  /// what grows is its eigenvector, by one factor.
  @Test
  void linearValuesGrowByAFactor() {
    double[][] features = OffPolicy.features();
    double[] w = OffPolicy.start();
    for (int t = 0; t < 10_000; t++) { // what does not grow is nothing beside it then
      w = OffPolicy.updated(features, w);
    }
    double[] next = OffPolicy.updated(features, w);
    double factor = next[7] / w[7];
    double k = OffPolicy.ALPHA / OffPolicy.STATES;
    double m = factor - 1;
    double g = OffPolicy.GAMMA;
    // (factor − 1)·w₈ = k·(6·δ + 2·δ₇), where (factor − 1)·w₁ = 2·k·δ and (factor − 1)·w₇ = k·δ₇
    double six = m * w[0] / (2 * k);
    double last = m * w[6] / k;
    assertEquals(six, g * (w[6] + 2 * w[7]) - 2 * w[0] - w[7], 1e-6 * Math.abs(six));
    assertEquals(last, (g - 1) * (w[6] + 2 * w[7]), 1e-6 * Math.abs(last));
    assertEquals(m * w[7], k * (6 * six + 2 * last), 1e-6 * Math.abs(m * w[7]));
    assertEquals(1.0023925, factor, 1e-7);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void netsBeginWithTheBooksValues(boolean norm) {
    try (var _ = Scope.open()) {
      double[] all = new double[OffPolicy.STATES * OffPolicy.FEATURES];
      for (int s = 0; s < OffPolicy.STATES; s++) {
        System.arraycopy(
            OffPolicy.features()[s], 0, all, s * OffPolicy.FEATURES, OffPolicy.FEATURES);
      }
      Tensor x = Tensor.of(all, OffPolicy.STATES, OffPolicy.FEATURES);
      assertArrayEquals(START, OffPolicy.net(norm, 4).predict(x).toDoubles(), 1e-6);
    }
  }
}
