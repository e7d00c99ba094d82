package fathom.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import fathom.Scope;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class InitTest {
  /// The deviation of n normal draws lies within 4/√(2n) of its own with probability 0.99994.
  @ParameterizedTest
  @ValueSource(ints = {9, 144, 576})
  void heHasTheDeviationOfItsFanIn(int fanIn) {
    try (var _ = Scope.open()) {
      int n = 20_000;
      double[] w = Init.he(1).weights("conv1.weight", fanIn, n / 10, 10).toDoubles();
      double mean = Arrays.stream(w).average().orElseThrow();
      double variance = Arrays.stream(w).map(v -> v * v).average().orElseThrow();
      double deviation = Math.sqrt(2.0 / fanIn);
      assertEquals(0, mean, 4 * deviation / Math.sqrt(n));
      assertEquals(1, Math.sqrt(variance) / deviation, 4 / Math.sqrt(2.0 * n));
    }
  }

  @Test
  void aDrawDependsOnSeedAndPathOnly() {
    try (var _ = Scope.open()) {
      double[] one = Init.he(1).weights("layer1.0.conv1.weight", 9, 50).toDoubles();
      Init.he(1).weights("something.else", 9, 1000);
      assertArrayEquals(one, Init.he(1).weights("layer1.0.conv1.weight", 9, 50).toDoubles());
      assertNotEquals(one[0], Init.he(2).weights("layer1.0.conv1.weight", 9, 50).toDoubles()[0]);
      assertNotEquals(one[0], Init.he(1).weights("layer1.0.conv2.weight", 9, 50).toDoubles()[0]);
    }
  }
}
