package fathom.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import fathom.DType;
import fathom.FlatParams;
import fathom.Param;
import fathom.Scope;
import fathom.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SgdTest {
  /// Momentum 1/2, decay 1/2, gradients 1, −1, 2, learning rates 1/2, 1/2, 1/4, from w = 1. By
  /// hand, without rounding:
  ///
  ///     v = 0 + 1/2·(1 + 1/2·1)              = 0.75        w =  0.25
  ///     v = 1/2·0.75 + 1/2·(−1 + 1/2·0.25)   = −0.0625     w =  0.3125
  ///     v = 1/2·(−0.0625) + 1/4·(2 + 0.15625) = 0.5078125  w = −0.1953125
  ///
  /// With the learning rate outside the velocity the last step would end at −0.2109375: the
  /// velocity carries the old learning rate.
  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "FLOAT64"})
  void threeStepsAreAsByHand(DType type) {
    double[] gradients = {1, -1, 2};
    double[] learningRates = {0.5, 0.5, 0.25};
    double[] weights = {0.25, 0.3125, -0.1953125};
    double[] velocities = {0.75, -0.0625, 0.5078125};
    try (var _ = Scope.open()) {
      Param other = Param.of(Tensor.zeros(type, 2, 3));
      Param param = Param.of(Tensor.zeros(type, 5).plus(1)); // 5 elements, and a gap behind them
      FlatParams flat = FlatParams.of(List.of(other, param));
      var sgd = new Sgd(flat, 0.5, 0.5);
      for (int i = 0; i < 3; i++) {
        param.grad().add_(Tensor.zeros(type, 5).plus(gradients[i]));
        sgd.step(learningRates[i]);
        assertArrayEquals(all(5, weights[i]), param.value().toDoubles(), "after step " + i);
        assertArrayEquals(all(5, velocities[i]), flat.part(sgd.velocity(), 1).toDoubles());
        assertArrayEquals(new double[5], param.grad().toDoubles(), "a step spends the gradients");
        assertArrayEquals(new double[6], other.value().toDoubles(), "zero stays zero");
        assertEquals(
            5 * weights[i],
            Tensor.over(flat.values(), type, false, flat.count()).sum().item(),
            "the gaps stay zero");
      }
    }
  }

  private static double[] all(int count, double value) {
    var values = new double[count];
    Arrays.fill(values, value);
    return values;
  }

  /// Each parameter moves as it would alone, at its own learning rate; one that is not trained
  /// keeps its weights from the decay and its velocity from the past.
  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "FLOAT64"})
  void everyParameterHasItsOwnLearningRate(DType type) {
    double[] learningRates = {0.5, 0, 0.25, 0.25};
    for (Optimizer.Spec spec : List.of(Sgd.of(0.5, 0.5), Adam.decoupled(0.5))) {
      try (var _ = Scope.open()) {
        var together = parameters(type);
        FlatParams flat = FlatParams.of(together);
        Optimizer optimizer = spec.over(flat, 0);
        var alone = parameters(type);
        var each = alone.stream().map(p -> spec.over(FlatParams.of(List.of(p)), 0)).toList();
        for (int step = 0; step < 3; step++) {
          for (int i = 0; i < 4; i++) {
            together.get(i).grad().add_(Tensor.zeros(type, 5).plus(1 + i - step));
            alone.get(i).grad().add_(Tensor.zeros(type, 5).plus(1 + i - step));
          }
          optimizer.step(i -> learningRates[i]);
          optimizer
              .blocks()
              .values()
              .forEach(block ->
                  assertArrayEquals(new double[5], flat.part(block, 1).toDoubles(), "not trained"));
          for (int i = 0; i < 4; i++) {
            if (i != 1) {
              each.get(i).step(learningRates[i]);
            }
            assertArrayEquals(
                alone.get(i).value().toDoubles(), together.get(i).value().toDoubles());
            assertArrayEquals(new double[5], together.get(i).grad().toDoubles());
          }
        }
      }
    }
  }

  private static List<Param> parameters(DType type) {
    return IntStream.range(0, 4)
        .mapToObj(i -> Param.of(Tensor.zeros(type, 5).plus(1 + i)))
        .toList();
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "FLOAT64"})
  void withoutMomentumAndDecayItIsPlainDescent(DType type) {
    try (var _ = Scope.open()) {
      Param w = Param.of(Tensor.of(new double[] {3, -2}, 2).to(type));
      var sgd = new Sgd(FlatParams.of(List.of(w)), 0, 0);
      w.grad().add_(new double[] {4, 8});
      sgd.step(0.25);
      assertArrayEquals(new double[] {2, -4}, w.value().toDoubles());
      sgd.step(0.25);
      assertArrayEquals(new double[] {2, -4}, w.value().toDoubles());
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "FLOAT64"})
  void everyParameterMovesByItsOwnGradient(DType type) {
    try (var _ = Scope.open()) {
      Param a = Param.of(Tensor.zeros(type, 3, 2));
      Param b = Param.of(Tensor.zeros(type, 5));
      var sgd = new Sgd(FlatParams.of(List.of(a, b)), 0.9, 0);
      a.grad().add_(new double[] {1, 2, 3, 4, 5, 6});
      b.grad().add_(new double[] {10, 20, 30, 40, 50});
      sgd.step(0.5);
      assertArrayEquals(new double[] {-0.5, -1, -1.5, -2, -2.5, -3}, a.value().toDoubles());
      assertArrayEquals(new double[] {-5, -10, -15, -20, -25}, b.value().toDoubles());
    }
  }

  /// A quadratic bowl E = w²/2 has its bottom at 0.
  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "FLOAT64"})
  void itFindsTheBottomOfABowl(DType type) {
    try (var _ = Scope.open()) {
      Param w = Param.of(Tensor.of(new double[] {5, -7, 100}, 3).to(type));
      var sgd = new Sgd(FlatParams.of(List.of(w)), 0.9, 0);
      for (int i = 0; i < 500; i++) {
        w.grad().add_(w.value());
        sgd.step(0.1);
      }
      assertArrayEquals(new double[3], w.value().toDoubles(), 1e-6);
    }
  }
}
