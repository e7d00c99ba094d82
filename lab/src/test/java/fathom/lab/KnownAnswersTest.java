package fathom.lab;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/// The parts of experiments on cases whose answer is known without them.
class KnownAnswersTest {
  /// One matrix: the loss ½‖I + W − T‖² is curved by 1 in every direction. Two under one gap: with
  /// R = T − I it is −⟨R, W₂W₁⟩ near zero, whose curvatures are ± the singular values of R.
  @Test
  void curvatureOfLinearNetsAtZero() {
    double[] target = {2, 0, 0, 0, -1, 0, 0, 0, 1.5};
    double[] one = new SingleLayer.LinearNet(1, 1, target).curvature().values();
    assertArrayEquals(new double[] {1, 1, 1, 1, 1, 1, 1, 1, 1}, one, 1e-6);
    double[] two = new SingleLayer.LinearNet(2, 2, target).curvature().values();
    for (int i = 0; i < 18; i++) {
      assertEquals(new double[] {2, 1, 0.5}[i / 6], two[i], 1e-6);
    }
  }
}
