package fathom.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.DType;
import fathom.Layer;
import fathom.Param;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Table 1 of the layer norm paper (Ba et al. 2016), every cell, and the row of RMS norm: what the
/// summed inputs of a layer of units, normalised, are invariant to. In float64 with ε = 0 and
/// without a bias before the norm, under which the cells hold exactly.
class NormInvarianceTest {
  private static final int CASES = 12;
  private static final int INPUTS = 7;
  private static final int UNITS = 9;

  /// The ε of batch norm is fixed; beside these variances of 1e12 it is nothing.
  private static final double SIZE = 1e6;

  enum Kind {
    BATCH,
    WEIGHT,
    LAYER,
    RMS;

    /// The normalised summed inputs of x for units with these weights.
    private Tensor value(Tensor weights, Tensor x) {
      var dense = Dense.withoutBias((_, _, _) -> weights, "", INPUTS, UNITS);
      Layer layer =
          switch (this) {
            case BATCH -> Chain.of(dense, BatchNorm.of(UNITS));
            case WEIGHT -> new WeightNorm(dense, Param.of(normal("g", UNITS)));
            case LAYER -> Chain.of(dense, LayerNorm.of(UNITS).withEpsilon(0));
            case RMS -> Chain.of(dense, RmsNorm.of(UNITS).withEpsilon(0));
          };
      layer
          .state()
          .forEach((path, param) -> {
            param.convert(DType.FLOAT64);
            if (path.endsWith("1.weight") || path.endsWith("1.bias")) {
              param.value().copy_(normal(path, UNITS));
            }
          });
      return layer.forward(x).value();
    }
  }

  private static Tensor normal(String what, long... shape) {
    return Tensor.normal(RandomKey.of(5, what), DType.FLOAT64, shape);
  }

  /// A column of ones with one 3 in it.
  private static Tensor oneScaled(int rows) {
    double[] factors = new double[rows];
    Arrays.fill(factors, 1);
    factors[2] = 3;
    return Tensor.of(factors, rows, 1);
  }

  @ParameterizedTest
  @CsvSource({
    "BATCH, true, false, true, true, true, false",
    "WEIGHT, true, false, true, false, false, false",
    "LAYER, true, true, false, true, false, true",
    "RMS, true, false, false, true, false, true",
  })
  void table1(
      Kind kind,
      boolean weightsScaled,
      boolean weightsCentred,
      boolean oneWeightVectorScaled,
      boolean dataScaled,
      boolean dataCentred,
      boolean oneCaseScaled) {
    try (var _ = Scope.open()) {
      Tensor w = normal("w", UNITS, INPUTS).times(SIZE);
      Tensor x = normal("x", CASES, INPUTS);
      double[] h = kind.value(w, x).toDoubles();
      Tensor shift = normal("shift", 1, INPUTS);
      assertCell("weight matrix re-scaling", weightsScaled, h, kind.value(w.times(3), x));
      assertCell(
          "weight matrix re-centring", weightsCentred, h, kind.value(w.plus(shift.times(SIZE)), x));
      assertCell(
          "weight vector re-scaling",
          oneWeightVectorScaled,
          h,
          kind.value(w.times(oneScaled(UNITS)), x));
      assertCell("data set re-scaling", dataScaled, h, kind.value(w, x.times(3)));
      assertCell("data set re-centring", dataCentred, h, kind.value(w, x.plus(shift)));
      assertCell(
          "single training case re-scaling",
          oneCaseScaled,
          h,
          kind.value(w, x.times(oneScaled(CASES))));
    }
  }

  private static void assertCell(String what, boolean invariant, double[] h, Tensor changed) {
    double[] other = changed.toDoubles();
    double largest = 0;
    for (int i = 0; i < h.length; i++) {
      largest = Math.max(largest, Math.abs(h[i] - other[i]));
    }
    assertTrue(
        invariant ? largest < 1e-10 : largest > 1e-3,
        "%s should be %s, but h moves by %s"
            .formatted(what, invariant ? "invariant" : "felt", largest));
  }

  /// With ε the defect is in the order of ε/σ².
  @Test
  void epsilonBreaksTheInvarianceALittle() {
    try (var _ = Scope.open()) {
      Tensor x = normal("x", CASES, UNITS);
      LayerNorm norm = LayerNorm.plain(UNITS).withEpsilon(1e-5);
      Tensor difference = norm.predict(x).minus(norm.predict(x.times(3)));
      double moved = Math.sqrt(difference.square().sum().item() / (CASES * UNITS));
      assertTrue(moved > 1e-7 && moved < 1e-4, "by " + moved);
    }
  }

  /// The mean and the standard deviation that a norm takes off come back as two more features.
  @Test
  void momentsUndoTheNorm() {
    try (var _ = Scope.open()) {
      Tensor x = normal("x", CASES, UNITS).times(3).plus(5);
      Tensor y = new WithMoments(LayerNorm.plain(UNITS)).predict(x);
      Tensor mean = y.narrow(1, UNITS, UNITS + 1);
      Tensor standardDeviation = y.narrow(1, UNITS + 1, UNITS + 2);
      double[] again = y.narrow(1, 0, UNITS).times(standardDeviation).plus(mean).toDoubles();
      double[] before = x.toDoubles();
      for (int i = 0; i < before.length; i++) {
        assertEquals(before[i], again[i], 1e-12);
      }
    }
  }

  /// Values and cotangents of 8 bits around a computation in float32.
  @Test
  void halvesGoThroughInFloats() {
    try (var _ = Scope.open()) {
      Tensor x = normal("x", CASES, 33).plus(10).to(DType.BFLOAT16);
      Tensor dy = normal("dy", CASES, 33).to(DType.BFLOAT16);
      LayerNorm norm = LayerNorm.of(33);
      var halves = norm.forward(x);
      Tensor dx = halves.back(dy);
      assertEquals(DType.BFLOAT16, halves.value().type());
      assertEquals(DType.BFLOAT16, norm.predict(x).type());
      assertEquals(DType.BFLOAT16, dx.type());
      double[] dgain = norm.own().get("weight").grad().toDoubles();
      LayerNorm exact = LayerNorm.of(33);
      exact.state().values().forEach(param -> param.convert(DType.FLOAT64));
      var doubles = exact.forward(x.to(DType.FLOAT64));
      Tensor exactDx = doubles.back(dy.to(DType.FLOAT64));
      assertNear(doubles.value(), halves.value().toDoubles(), 0.005);
      assertNear(exactDx, dx.toDoubles(), 0.005);
      assertNear(exact.own().get("weight").grad(), dgain, 1e-5);
    }
  }

  private static void assertNear(Tensor expected, double[] actual, double tolerance) {
    double[] values = expected.toDoubles();
    for (int i = 0; i < values.length; i++) {
      assertEquals(values[i], actual[i], tolerance * Math.max(1, Math.abs(values[i])));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "3,0"})
  void aNormOverNothingIsRefused(String sizes) {
    try (var _ = Scope.open()) {
      long[] features = Arrays.stream(sizes.split(",")).mapToLong(s -> Long.parseLong(s)).toArray();
      for (Runnable bad :
          new Runnable[] {
            () -> LayerNorm.of(features),
            () -> LayerNorm.plain(features),
            () -> RmsNorm.of(features),
            () -> GroupNorm.of(1, 0),
            () -> GroupNorm.of(0, 4),
            () -> GroupNorm.of(3, 4),
            () -> LayerNorm.of(4).withEpsilon(-1),
            () -> GroupNorm.of(1, 3).predict(Tensor.zeros(DType.FLOAT32, 2, 3, 0, 4))
          }) {
        assertThrows(IllegalArgumentException.class, bad::run);
      }
    }
  }
}
