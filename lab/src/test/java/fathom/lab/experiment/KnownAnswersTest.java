package fathom.lab.experiment;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.nn.Chain;
import fathom.nn.Init;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The parts of experiments on cases whose answer is known without them.
class KnownAnswersTest {
  /// One matrix: the loss ½‖I + W − T‖² is curved by 1 in every direction. Two under one shortcut:
  /// with R = T − I it is −⟨R, W₂W₁⟩ near zero, whose curvatures are ± the singular values of R.
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
      Tensor w = Orthogonal.of(Init.he(1)).weights("w", 5, 5, 5);
      double[] product = w.matmul(w.transpose()).toDoubles();
      for (int i = 0; i < 25; i++) {
        assertEquals(i % 6 == 0 ? 2 : 0, product[i], 1e-12);
      }
      assertEquals(1, Cures.condition(8, 64, 3), 1e-9);
    }
  }

  /// A diagonal of 3, 1 and −0.1: of each value the sign stays, and the size comes near 1.
  @Test
  void anOrthogonalisedUpdateKeepsDirectionsAndEvensOutSizes() {
    try (var _ = Scope.open()) {
      double[] even =
          OrthogonalUpdates.orthogonal(Tensor.of(new double[] {3, 0, 0, 0, 1, 0, 0, 0, -0.1}, 3, 3))
              .toDoubles();
      for (int i = 0; i < 9; i++) {
        assertEquals(i == 8 ? -0.95 : i % 4 == 0 ? 0.95 : 0, even[i], i % 4 == 0 ? 0.3 : 1e-12);
      }
    }
  }

  /// Two unit inputs of cosine c through a wide layer of Gaussian weights; and the ends: rectifiers
  /// make 1/π of 0 (Cho and Saul 2009), a linear net changes nothing, 1 stays 1.
  @ParameterizedTest
  @CsvSource({"-0.5, 0", "0, 0", "0, 0.3", "0.6, 0.3", "0.6, 0.8", "0.95, 0.5"})
  void theMapOfCosinesIsWhatAWideLayerMakesOfThem(double c, double slope) {
    int units = 200_000;
    double[] moments = new double[3];
    RandomKey key = RandomKey.of(1, "map");
    double[] a = new double[units];
    double[] b = new double[units];
    for (int i = 0; i < units; i++) {
      a[i] = key.at(i).normal(0);
      b[i] = c * a[i] + Math.sqrt(1 - c * c) * key.at(i).normal(1);
    }
    try (var _ = Scope.open()) {
      var leaky = new TailoredActivations.Leaky(slope);
      double[] y = leaky.predict(Tensor.of(a, 1, units)).toDoubles();
      double[] z = leaky.predict(Tensor.of(b, 1, units)).toDoubles();
      for (int i = 0; i < units; i++) {
        moments[0] += y[i] * y[i] / units;
        moments[1] += y[i] * z[i] / units;
        moments[2] += z[i] * z[i] / units;
      }
    }
    assertEquals(1, moments[0], 0.02, "lengths stay");
    assertEquals(
        TailoredActivations.map(c, slope),
        moments[1] / Math.sqrt(moments[0] * moments[2]),
        0.005,
        "the cosine");
  }

  @Test
  void theMapOfCosinesHasKnownEnds() {
    assertEquals(1 / Math.PI, TailoredActivations.map(0, 0), 1e-15);
    assertEquals(0.3, TailoredActivations.map(0.3, 1), 0);
    assertEquals(1, TailoredActivations.map(1, 0.4), 0);
    double slope = TailoredActivations.slope(0.9, 56);
    assertEquals(0.9, TailoredActivations.through(0, slope, 56), 1e-9);
    assertEquals(0, TailoredActivations.slope(0.9, 1), 1e-15, "one rectifier stays below 0.9");
  }

  @Test
  void aLeakingRectifierHasTheGradientOfItsTwoSlopes() {
    try (var _ = Scope.open()) {
      var y =
          new TailoredActivations.Leaky(0.5).forward(Tensor.of(new double[] {2, -3, 0.1}, 1, 3));
      double scale = Math.sqrt(2 / 1.25);
      assertArrayEquals(
          new double[] {2 * scale, -1.5 * scale, 0.1 * scale}, y.value().toDoubles(), 1e-15);
      assertArrayEquals(
          new double[] {scale, scale, -scale},
          y.back(Tensor.of(new double[] {1, 2, -1}, 1, 3)).toDoubles(),
          1e-15);
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
