package fathom.lab;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.Scope;
import fathom.Tensor;
import fathom.nn.Chain;
import fathom.nn.Init;
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

  @Test
  void orthogonalWeightsAreAndKeepLengthsThroughManyLayers() {
    try (var _ = Scope.open()) {
      Tensor w = Cures.orthogonal(Init.he(1)).weights("w", 5, 5, 5);
      double[] product = w.matmul(w.transpose()).toDoubles();
      for (int i = 0; i < 25; i++) {
        assertEquals(i % 6 == 0 ? 2 : 0, product[i], 1e-12);
      }
      assertEquals(1, Cures.condition(8, 64, 3), 1e-9);
    }
  }

  /// Of ½‖k·x‖² the derivative by k is k·‖x‖².
  @Test
  void aTrainedFactorHasTheGradientOfAProduct() {
    try (var _ = Scope.open()) {
      var factor = Cures.TrainedFactor.of(3);
      var y = factor.forward(Tensor.of(new float[] {1, 2}, 1, 2));
      assertArrayEquals(new double[] {9, 18}, y.back(y.value()).toDoubles(), 0);
      assertEquals(15, factor.weight().grad().item(), 1e-6);
    }
  }

  @Test
  void appendedLayersThatStartAtZeroChangeNothing() {
    try (var _ = Scope.open()) {
      Mixture data = Mixture.of(1, "train", 64);
      Chain base = DeepNet.plain(data.features(), 8, 2).build(1);
      Chain zero = Appended.longer(base, 8, 6, Appended.Arm.ZERO, 1);
      double[] before = base.forward(data.all()).value().toDoubles();
      assertArrayEquals(before, zero.forward(data.all()).value().toDoubles(), 0);
      assertEquals(0, Appended.correction(zero, data), 0);
      Chain plain = Appended.longer(base, 8, 6, Appended.Arm.PLAIN, 1);
      assertTrue(Appended.correction(plain, data) > 0.1);
    }
  }
}
