package fathom.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import fathom.DType;
import fathom.FlatParams;
import fathom.Param;
import fathom.Scope;
import fathom.Tensor;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ClipTest {
  /// (3, 4) and 12 have together the norm 13.
  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "FLOAT64"})
  void theNormIsThatOfAllParametersTogether(DType type) {
    try (var _ = Scope.open()) {
      Param a = Param.of(Tensor.zeros(type, 2));
      Param b = Param.of(Tensor.zeros(type, 1, 1));
      FlatParams flat = FlatParams.of(List.of(a, b));
      a.grad().add_(new double[] {3, 4});
      b.grad().add_(new double[] {12});
      assertEquals(13, Clip.norm(flat), 1e-12);
      assertEquals(13, Clip.to(flat, 13), 1e-12);
      assertArrayEquals(new double[] {3, 4}, a.grad().toDoubles(), "not above the limit");
      assertEquals(13, Clip.to(flat, 6.5), 1e-12);
      assertArrayEquals(new double[] {1.5, 2}, a.grad().toDoubles(), 1e-12);
      assertArrayEquals(new double[] {6}, b.grad().toDoubles(), 1e-12);
      for (double none : new double[] {0, -1, Double.NaN}) {
        assertThrows(IllegalArgumentException.class, () -> Clip.to(flat, none));
      }
    }
  }
}
