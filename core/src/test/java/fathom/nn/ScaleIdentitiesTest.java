package fathom.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.DType;
import fathom.Layer;
import fathom.Param;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.Traced;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What follows from a loss that does not depend on the length of a weight W, for the gradient G
/// that comes back to it: pulling on the length returns nothing, and the gradient shrinks as the
/// weight grows. The loss is Σ c·tanh(norm(x·Wᵀ)), in float64 and, but for one, with ε = 0.
class ScaleIdentitiesTest {
  private static final int CASES = 10;
  private static final int INPUTS = 6;
  private static final int UNITS = 8;

  enum Kind {
    BATCH,
    WEIGHT,
    LAYER,
    RMS
  }

  private static Tensor normal(String what, long... shape) {
    return Tensor.normal(RandomKey.of(6, what), DType.FLOAT64, shape);
  }

  /// The ε of batch norm is fixed; its weights are so large that it is nothing.
  private static double size(Kind kind) {
    return kind == Kind.BATCH ? 1e4 : 1;
  }

  private static Tensor weights(Kind kind) {
    return normal("w", UNITS, INPUTS).times(size(kind));
  }

  /// The loss at W, and dE/dW.
  private record Point(double loss, Tensor gradient) {}

  private static Point at(Kind kind, Tensor weights, double epsilon) {
    var dense = Dense.withoutBias((_, _, _) -> weights.plus(0.0), "", INPUTS, UNITS);
    Layer normed =
        switch (kind) {
          case BATCH -> Chain.of(dense, BatchNorm.of(UNITS));
          case WEIGHT -> new WeightNorm(dense, Param.of(normal("g", UNITS)));
          case LAYER -> Chain.of(dense, LayerNorm.of(UNITS).withEpsilon(epsilon));
          case RMS -> Chain.of(dense, RmsNorm.of(UNITS).withEpsilon(epsilon));
        };
    normed.state().values().forEach(param -> param.convert(DType.FLOAT64));
    Layer layer = Chain.of(normed, new Tanh());
    Traced traced = layer.forward(normal("x", CASES, INPUTS).plus(0.5));
    Tensor c = normal("c", CASES, UNITS);
    traced.back(c);
    return new Point(traced.value().times(c).sum().item(), dense.weight().grad());
  }

  private static Tensor gradient(Kind kind, Tensor weights) {
    return at(kind, weights, 0).gradient;
  }

  private static double largest(Tensor t) {
    double largest = 0;
    for (double v : t.toDoubles()) {
      largest = Math.max(largest, Math.abs(v));
    }
    return largest;
  }

  /// ⟨G, W⟩ over all weights.
  private static double inner(Tensor g, Tensor w) {
    return g.times(w).sum().item();
  }

  /// I1, I5: the whole matrix under layer norm and RMS norm.
  @ParameterizedTest
  @EnumSource
  void pullingOnTheLengthOfTheMatrixReturnsNothing(Kind kind) {
    try (var _ = Scope.open()) {
      Tensor w = weights(kind);
      assertEquals(0, inner(gradient(kind, w), w), 1e-8);
    }
  }

  /// I2, I4: each row under batch norm and weight norm, and not under layer norm and RMS norm.
  @ParameterizedTest
  @EnumSource
  void pullingOnTheLengthOfARowReturnsSomethingUnderLayerNorm(Kind kind) {
    try (var _ = Scope.open()) {
      Tensor w = weights(kind);
      double rows = largest(gradient(kind, w).times(w).sum(1));
      boolean ofRows = kind == Kind.BATCH || kind == Kind.WEIGHT;
      assertTrue(ofRows ? rows < 1e-8 : rows > 1e-2, kind + ": " + rows);
    }
  }

  /// I3, I4, I5: adding one vector to all rows is nothing under layer norm alone.
  @ParameterizedTest
  @EnumSource
  void movingAllRowsReturnsNothingUnderLayerNorm(Kind kind) {
    try (var _ = Scope.open()) {
      double sums = largest(gradient(kind, weights(kind)).sum(0)) * size(kind);
      assertTrue(kind == Kind.LAYER ? sums < 1e-8 : sums > 1e-2, kind + ": " + sums);
    }
  }

  /// I6: G(aW) = G(W)/a and H(aW)v = H(W)v/a².
  @ParameterizedTest
  @EnumSource
  void gradientsShrinkAsWeightsGrow(Kind kind) {
    try (var _ = Scope.open()) {
      double a = 3;
      Tensor w = weights(kind);
      Tensor g = gradient(kind, w);
      Tensor scaled = gradient(kind, w.times(a));
      assertTrue(largest(scaled.times(a).minus(g)) <= 1e-7 * largest(g), kind + ", G");
      Tensor v = normal("v", UNITS, INPUTS);
      Tensor hv = curvature(kind, w, v);
      Tensor scaledHv = curvature(kind, w.times(a), v);
      assertTrue(largest(scaledHv.times(a * a).minus(hv)) <= 1e-7 * largest(hv), kind + ", H·v");
    }
  }

  /// H(W)·v by central differences of gradients.
  private static Tensor curvature(Kind kind, Tensor w, Tensor v) {
    double h = 1e-5 * size(kind);
    Tensor up = gradient(kind, w.plus(v.times(h)));
    Tensor down = gradient(kind, w.plus(v.times(-h)));
    return up.minus(down).times(1 / (2 * h));
  }

  /// I7: with ε > 0 the return is ⟨G, W⟩ = −2ε·∂E/∂ε exactly.
  @Test
  void withEpsilonTheReturnIsThatOfEpsilon() {
    for (Kind kind : new Kind[] {Kind.LAYER, Kind.RMS}) {
      for (double epsilon : new double[] {0.01, 0.3}) {
        try (var _ = Scope.open()) {
          Tensor w = weights(kind);
          double h = 1e-5;
          double slope = (at(kind, w, epsilon + h).loss - at(kind, w, epsilon - h).loss) / (2 * h);
          double actual = inner(at(kind, w, epsilon).gradient, w);
          assertTrue(Math.abs(actual) > 1e-3, "nothing to see: " + actual);
          assertEquals(-2 * epsilon * slope, actual, 1e-5 * Math.abs(actual));
        }
      }
    }
  }

  /// I8: a step of plain SGD is at right angles to W, so ‖W₊‖² = ‖W‖² + η²‖G‖².
  @ParameterizedTest
  @EnumSource(names = {"LAYER", "RMS", "WEIGHT"})
  void aStepOnlyLengthens(Kind kind) {
    try (var _ = Scope.open()) {
      double learningRate = 0.7;
      Tensor w = weights(kind);
      Tensor g = gradient(kind, w);
      double after = w.plus(g.times(-learningRate)).square().sum().item();
      double expected =
          w.square().sum().item() + learningRate * learningRate * g.square().sum().item();
      assertEquals(expected, after, 1e-12 * expected);
    }
  }
}
