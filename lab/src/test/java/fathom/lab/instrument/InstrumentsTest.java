package fathom.lab.instrument;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.Autograd;
import fathom.DType;
import fathom.Layer;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.nn.BatchNorm;
import fathom.nn.Chain;
import fathom.nn.Dense;
import fathom.nn.Identity;
import fathom.nn.Init;
import fathom.nn.Relu;
import fathom.nn.Residual;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Every instrument on cases whose answer is known without it.
class InstrumentsTest {
  @Test
  void singularValuesOfADiagonalTurnedByRotationsAreItsEntries() {
    double c = Math.cos(0.7);
    double s = Math.sin(0.7);
    double[] turned = {-s * 1e-6, 3 * c, 0, c * 1e-6, 3 * s, 0, 0, 0, -2}; // rows of R·diag·P
    assertArrayEquals(new double[] {3, 2, 1e-6}, Spectrum.of(turned, 3, 3).values(), 1e-15);
  }

  @Test
  void aMatrixOfRankOneParticipatesInOneDirectionAndTheIdentityInAll() {
    var one = Spectrum.of(new double[] {1, 2, 2, 2, 4, 4}, 2, 3);
    assertEquals(Math.sqrt(45), one.values()[0], 1e-14);
    assertEquals(1, one.participation(), 1e-12);
    assertEquals(2, one.values().length);
    try (var _ = Scope.open()) {
      Tensor x = Tensor.normal(RandomKey.of(1, "x"), DType.FLOAT64, 1, 5);
      var identity = Spectrum.ofJacobian(new Identity(), x);
      assertArrayEquals(new double[] {1, 1, 1, 1, 1}, identity.values(), 0);
      assertEquals(5, identity.participation(), 1e-12);
      assertEquals(1, identity.rms(), 1e-15);
      assertEquals(1, identity.condition(), 0);
    }
  }

  /// The squares of singular values add up to the squares of the elements, here those of W with the
  /// rows of a negative response struck out.
  @Test
  void theJacobianOfARectifierLayerIsItsWeightsWhereItResponds() {
    try (var _ = Scope.open()) {
      var dense = Dense.withoutBias(Init.he(2), "d", 6, 4);
      Tensor x = Tensor.normal(RandomKey.of(3, "x"), DType.FLOAT32, 1, 6);
      double[] response = dense.predict(x).toDoubles();
      double[] w = dense.weight().value().toDoubles();
      double squares = 0;
      for (int i = 0; i < w.length; i++) {
        squares += response[i / 6] > 0 ? w[i] * w[i] : 0;
      }
      var spectrum = Spectrum.ofJacobian(Chain.of(dense, new Relu()), x);
      assertEquals(4, spectrum.values().length);
      assertEquals(squares, 4 * Math.pow(spectrum.rms(), 2), 1e-6);
    }
  }

  @Test
  void whatIsNoPointOrNoMatrixIsRefused() {
    try (var _ = Scope.open()) {
      Tensor two = Tensor.zeros(DType.FLOAT64, 2, 3);
      assertThrows(IllegalArgumentException.class, () -> Spectrum.ofJacobian(new Identity(), two));
      assertThrows(IllegalArgumentException.class, () -> Spectrum.of(new double[5], 2, 3));
      Tensor one = Tensor.zeros(DType.FLOAT64, 1, 3);
      assertThrows(IllegalArgumentException.class, () -> Rows.cosine(one));
    }
  }

  @Test
  void cosinesOfParallelOrthogonalAndZeroRows() {
    try (var _ = Scope.open()) {
      assertEquals(1, Rows.cosine(Tensor.of(new double[] {1, 2, 1e-300, 2e-300}, 2, 2)), 1e-12);
      assertEquals(-1, Rows.cosine(Tensor.of(new double[] {1, 2, -3, -6}, 2, 2)), 1e-12);
      assertEquals(0, Rows.cosine(Tensor.of(new double[] {1, 0, 0, 5, 0, 0}, 3, 2)), 1e-12);
      // 60° between the two that are there: of three pairs one counts 1/2
      double[] sixty = {1, 0, 0.5, Math.sqrt(0.75), 0, 0};
      assertEquals(0.5 / 3, Rows.cosine(Tensor.of(sixty, 3, 2)), 1e-12);
    }
  }

  @Test
  void normsStandardDeviationsAndSaturation() {
    try (var _ = Scope.open()) {
      Tensor x = Tensor.of(new double[] {1, 0, 3, 4, -1, 2}, 3, 2);
      assertEquals(Math.sqrt(31), Rows.norm(x), 1e-14);
      // columns (1, 3, -1) and (0, 4, 2): standard deviation √(8/3) both
      assertEquals(Math.sqrt(8.0 / 3), Rows.standardDeviation(x), 1e-14);
      assertEquals(4 / 6.0, Rows.saturated(x, 0, 3), 1e-15);
    }
  }

  @Test
  void gradientNormsOfALinearLayerAreThoseOfTheOuterProduct() {
    try (var _ = Scope.open()) {
      var dense = Dense.of(Init.he(4), "d", 2, 3);
      var net = Chain.of(dense);
      net.forward(Tensor.of(new float[] {3, 4}, 1, 2))
          .accumulate(Tensor.of(new float[] {1, 2, 2}, 1, 3));
      var gradients = Gradients.of(net); // dy·xᵀ of norms 3 and 5; the bias is no weight
      assertArrayEquals(new double[] {15}, gradients.gradients(), 1e-5);
      assertEquals(Rows.norm(dense.weight().value()), gradients.weights()[0], 0);
      assertEquals("0.weight", gradients.paths().getFirst());
    }
  }

  /// Of f = c·(Wx + b) the kernel is |c|²·(x·x' + 1), whatever W and b are.
  @Test
  void theTangentKernelOfALinearLayerIsTheGramMatrixOfItsInputs() {
    try (var _ = Scope.open()) {
      var net = Chain.of(Dense.of(Init.he(5), "d", 3, 2), BatchNorm.of(2));
      Layer dense = net.children().getFirst().layer();
      Tensor x = Tensor.of(new float[] {1, 2, 2, 0, 3, 4, 1, 1, 0}, 3, 3);
      Tensor c = Tensor.of(new float[] {3, 4}, 1, 2);
      double[] gram = {10, 15, 4, 15, 26, 4, 4, 4, 3};
      double[] expected = Spectrum.of(gram, 3, 3).values();
      double[] values = TangentKernel.of(dense, x, c).values();
      for (int i = 0; i < 3; i++) {
        assertEquals(25 * expected[i], values[i], 1e-4);
      }
      var norm = net.state();
      double[] grad = {7, 7};
      norm.get("1.bias").grad().copy_(grad);
      TangentKernel.of(net, x, c);
      assertArrayEquals(grad, norm.get("1.bias").grad().toDoubles(), 0, "gradients stay");
      assertArrayEquals(
          new double[] {0, 0}, norm.get("1.running_mean").value().toDoubles(), 0, "so do buffers");
      assertThrows(
          IllegalArgumentException.class,
          () -> TangentKernel.of(dense, x, Tensor.of(new float[] {1}, 1, 1)));
    }
  }

  /// A linear layer of one value has the mean of (x, 1)(x, 1)ᵀ. Of two values under a softmax that
  /// cannot tell them apart it is that times ±¼.
  @Test
  void theFisherInformationOfALinearLayerIsTheSecondMomentOfItsInputs() {
    try (var _ = Scope.open()) {
      Tensor x = Tensor.of(new float[] {1, 2, 3, -1}, 2, 2);
      double[] moment = {5, -0.5, 2, -0.5, 2.5, 0.5, 2, 0.5, 1};
      var one = Dense.of(Init.zeros(), "d", 2, 1);
      Fisher normal = Fisher.of(one, x, Fisher.Response.GAUSSIAN);
      assertArrayEquals(moment, normal.elements(), 1e-6);
      assertEquals(3, normal.size());
      assertEquals(0.5 * (5 - 4 + 1), normal.square(new double[] {1, 0, -1}), 1e-6);
      var two = Dense.of(Init.zeros(), "d", 2, 2);
      Fisher classes = Fisher.of(two, x, Fisher.Response.CATEGORICAL);
      int[] first = {0, 1, 4};
      int[] second = {2, 3, 5};
      for (int i = 0; i < 9; i++) {
        assertEquals(0.25 * moment[i], classes.block(first, first)[i], 1e-6);
        assertEquals(-0.25 * moment[i], classes.block(first, second)[i], 1e-6);
      }
      var norm = BatchNorm.of(2);
      norm.weight().grad().copy_(new double[] {7, 7});
      Fisher.of(norm, x, Fisher.Response.CATEGORICAL);
      assertArrayEquals(new double[] {7, 7}, norm.weight().grad().toDoubles(), 0);
      assertArrayEquals(new double[] {0, 0}, norm.runningMean().value().toDoubles(), 0);
      assertThrows(IllegalArgumentException.class, () -> normal.square(new double[2]));
      assertThrows(
          IllegalArgumentException.class,
          () ->
              Fisher.of(
                  new Identity(),
                  Tensor.scalar(DType.FLOAT32, 1).reshape(1, 1, 1),
                  Fisher.Response.GAUSSIAN));
    }
  }

  /// Gains 3 and 4 and biases 1 and -1: √((9 + 16)/2 + 1). In use, the statistics are still mean 0
  /// and standard deviation 1, which is what is put in.
  @Test
  void responsesAreThoseOfGainsAndBiases() {
    try (var _ = Scope.open()) {
      var norm = BatchNorm.of(2);
      norm.weight().value().copy_(new double[] {3, 4});
      norm.bias().value().copy_(new double[] {1, -1});
      var net = Chain.of(norm, new Relu());
      assertArrayEquals(
          new double[] {Math.sqrt(13.5)}, Responses.ofWeights(net).standardDeviations(), 1e-12);
      var seen = Responses.of(net, Tensor.of(new float[] {1, 1, -1, -1}, 2, 2));
      assertEquals("0", seen.paths().getFirst());
      assertEquals(Math.sqrt(13.5), seen.mean(), 1e-4);
    }
  }

  /// (3, 4) turned by a right angle and doubled.
  @Test
  void movementOfAWeightThatIsTurnedAndGrows() {
    try (var _ = Scope.open()) {
      var dense = Dense.withoutBias(Init.he(1), "d", 2, 1);
      dense.weight().value().copy_(new double[] {3, 4});
      var before = Movement.snapshot(dense);
      dense.weight().value().copy_(new double[] {-8, 6});
      var movement = Movement.since(before, dense, 0.5);
      assertEquals(2, movement.growth()[0], 1e-12);
      assertEquals(Math.sqrt(125) / 5, movement.update()[0], 1e-12);
      assertEquals(Math.PI / 2, movement.angle()[0], 1e-12);
      assertEquals(0.005, movement.effectiveRate()[0], 1e-15);
      assertThrows(IllegalArgumentException.class, () -> Movement.since(before, new Identity(), 1));
    }
  }

  /// Of ½‖w‖² with filters of lengths 5 and 2 the surface is 14.5 in the middle and bends by the
  /// squared length of a direction, which is that of the weights. Minus the distance from the
  /// middle falls outwards everywhere.
  @Test
  void theLossSurfaceOfASquareIsAParaboloid() {
    try (var _ = Scope.open()) {
      var dense = Dense.withoutBias(Init.he(1), "d", 2, 2);
      dense.weight().value().copy_(new double[] {3, 4, 0, 2});
      var surface = LossSurface.of(dense, InstrumentsTest::halfSquare, 0.2, 3, 7);
      assertEquals(14.5, surface.losses()[1][1], 1e-6);
      // f(a) + f(-a) - 2·f(0) = 2·a²·½‖δ‖², and ‖δ‖ is ‖w‖
      double bent = surface.losses()[2][1] + surface.losses()[0][1] - 2 * surface.losses()[1][1];
      assertEquals(0.04 * 29, bent, 1e-5);
      // along the ray the derivative is (f(a) - f(-a))/2a + a·‖δ‖²
      double slope = (surface.losses()[2][1] - surface.losses()[0][1]) / 0.4 + 0.2 * 29;
      assertEquals(slope, surface.outward()[2][1], 1e-3);
      assertArrayEquals(new double[] {3, 4, 0, 2}, dense.weight().value().toDoubles(), 0);
      assertEquals(1 - 1.0 / 9, LossSurface.of(dense, n -> -far(n), 3, 3, 7).astray(), 1e-12);
      assertThrows(IllegalArgumentException.class, () -> LossSurface.of(dense, n -> 0, 1, 1, 7));
    }
  }

  /// Blocks y = x + aᵢ·x, so that f = x·Π(1 + aᵢ): without one, its factor is missing.
  @Test
  void aLesionTakesOneBranchOut() {
    try (var _ = Scope.open()) {
      Tensor x = Tensor.of(new double[] {1}, 1, 1);
      var net = Chain.of(gap(1), new Identity(), gap(0.5), gap(3));
      var lesion = Lesion.of(net, Lesion.BRANCHES, n -> n.predict(x).item());
      assertEquals(12, lesion.whole(), 1e-12);
      assertArrayEquals(new double[] {6, 8, 3}, lesion.without(), 1e-12);
      assertArrayEquals(new double[] {-6, -4, -9}, lesion.rises(), 1e-12);
      assertEquals(-6, lesion.medianRise(), 1e-12);
      assertEquals(-4, lesion.largestRise(), 1e-12);
      assertEquals(List.of("0", "2", "3"), lesion.paths());
      assertTrue(
          Double.isNaN(Lesion.of(new Identity(), Lesion.BRANCHES, _ -> 1).medianRise()),
          "there is nothing to take out");
    }
  }

  /// With four blocks y = x + ½x a path of k branches has the gradient ½ᵏ of the direction: the
  /// shares are those of the binomial distribution with p = ½/(1 + ½), of mean 4/3. Batch norm of
  /// gain 3 and running variance 4 multiplies all by 3/2, whatever the batch is.
  @Test
  void pathsOfEqualBlocksCarryABinomialShareOfTheGradient() {
    try (var _ = Scope.open()) {
      var norm = BatchNorm.of(2);
      norm.weight().value().copy_(new double[] {3, 3});
      norm.runningVariance().value().copy_(new double[] {4, 4});
      var net = Chain.of(norm, gap(0.5), gap(0.5), gap(0.5), gap(0.5));
      Tensor x = Tensor.normal(RandomKey.of(1, "x"), DType.FLOAT32, 5, 2);
      var lengths = PathLengths.of(net, x, Tensor.of(new float[] {3, 4}, 1, 2), 1);
      double[] binomial = new double[5];
      int[] choose = {1, 4, 6, 4, 1};
      for (int k = 0; k < 5; k++) {
        assertEquals(choose[k] / 16.0, lengths.paths()[k], 1e-15);
        assertEquals(7.5 * Math.pow(0.5, k), lengths.norms()[k], 1e-4);
        binomial[k] = choose[k] * Math.pow(1 / 3.0, k) * Math.pow(2 / 3.0, 4 - k);
      }
      assertArrayEquals(binomial, lengths.shares(), 1e-6);
      assertEquals(4 / 3.0, lengths.meanLength(), 1e-5);
      assertEquals(0, lengths.lengthOf(16 / 81.0 - 0.01));
      assertEquals(2, lengths.lengthOf(0.8));
      assertThrows(
          IllegalArgumentException.class,
          () -> PathLengths.of(new Identity(), x, Tensor.of(new float[] {1, 1}, 1, 2), 1));
      assertThrows(
          IllegalArgumentException.class,
          () -> PathLengths.of(net, x, Tensor.of(new float[] {1}, 1, 1), 1));
    }
  }

  @Test
  void aPathOfAllBranchesIsTheProductOfTheirs() {
    try (var _ = Scope.open()) {
      var first = Dense.withoutBias(Init.he(1), "a", 2, 2);
      var second = Dense.withoutBias(Init.he(2), "b", 2, 2);
      var net = Chain.of(new Residual(first), new Residual(second));
      Tensor direction = Tensor.of(new float[] {1, -2}, 1, 2);
      Tensor x = Tensor.normal(RandomKey.of(1, "x"), DType.FLOAT32, 3, 2);
      var lengths = PathLengths.of(net, x, direction, 1);
      Tensor both = direction.matmul(second.weight().value()).matmul(first.weight().value());
      assertEquals(Rows.norm(direction), lengths.norms()[0], 1e-6);
      assertEquals(Rows.norm(both), lengths.norms()[2], 1e-5);
    }
  }

  /// y = x + a·x.
  private static Layer gap(double a) {
    return new Residual(Autograd.layer(x -> x.times(a)));
  }

  private static double halfSquare(Layer net) {
    return 0.5 * Math.pow(Rows.norm(net.params().getFirst().value()), 2);
  }

  /// The squared distance from where the test stands.
  private static double far(Layer net) {
    double[] w = net.params().getFirst().value().toDoubles();
    return Math.pow(w[0] - 3, 2) + Math.pow(w[1] - 4, 2) + w[2] * w[2] + Math.pow(w[3] - 2, 2);
  }
}
