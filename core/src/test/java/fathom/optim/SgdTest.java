package fathom.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import fathom.DType;
import fathom.FlatParams;
import fathom.Param;
import fathom.Scope;
import fathom.Tensor;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SgdTest {
  /// By hand: w = 1, gradients 0.5, 0.5, 0.5, m = 0.9, λ = 0.1, rates 0.1, 0.1, 0.01.
  ///
  /// - v₁ = 0.1·(0.5 + 0.1·1) = 0.06, w₁ = 0.94
  /// - v₂ = 0.9·0.06 + 0.1·(0.5 + 0.094) = 0.1134, w₂ = 0.8266
  /// - v₃ = 0.9·0.1134 + 0.01·(0.5 + 0.08266) = 0.1078866, w₃ = 0.7187134: the velocity still has
  ///   the old rate. With the rate outside the velocity w₃ would be 0.8266 − 0.01·1.60326 =
  ///   0.81057.
  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"FLOAT32", "FLOAT64"})
  void followsTheVelocityOfThePaper(DType type) {
    try (var _ = Scope.open()) {
      Param w = Param.of(Tensor.scalar(type, 1).reshape(1));
      var sgd = new Sgd(FlatParams.of(List.of(w)), 0.9, 0.1);
      double[] rates = {0.1, 0.1, 0.01};
      double[] expected = {0.94, 0.8266, 0.7187134};
      for (int i = 0; i < rates.length; i++) {
        w.grad().add_(new double[] {0.5});
        sgd.step(rates[i]);
        assertEquals(expected[i], w.value().item(), type == DType.FLOAT64 ? 1e-15 : 1e-6);
        assertEquals(0, w.grad().item(), "a step leaves gradients of zero");
      }
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"FLOAT32", "FLOAT64"})
  void movesEveryParameterByItsOwnGradient(DType type) {
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
}
