package fathom.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import fathom.DType;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.TorchConvolutions;
import fathom.parallel.Cores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Convolutions as products of patches against libtorch's of the same numbers in float64.
class PatchFiltersTest {
  /// A sum of n products of normal numbers is of size √k after k of them, and each addition rounds
  /// it by at most 2⁻²⁴ of that, evenly distributed. Together that is n·2⁻²⁴/√6, root mean square;
  /// this is seven times as much for each product.
  private static final double ROUNDING = 7 * 0x1p-24 / Math.sqrt(6);

  /// For the bias and the sum.
  private static final int FEW = 16;

  private record Case(Tensor x, Tensor w, Tensor bias, int stride, int padding) {
    static Case of(int count, int height, int width, int in, int out, int kernel, int stride) {
      return new Case(
          normal("x", count, in, height, width).channelsLast(),
          normal("w", out, in, kernel, kernel).channelsLast(),
          normal("bias", out),
          stride,
          kernel / 2);
    }

    PatchFilters filters() {
      return PatchFilters.of(w, bias, stride, padding);
    }

    Tensor exact() {
      return TorchConvolutions.convolution(wide(x), wide(w), wide(bias), stride, padding);
    }

    double tolerance() {
      Shape s = w.shape();
      return ROUNDING * (s.size(1) * s.size(2) * s.size(3) + FEW);
    }
  }

  private static Tensor normal(String what, long... shape) {
    return Tensor.normal(RandomKey.of(1, what), DType.FLOAT32, shape);
  }

  private static Tensor wide(Tensor t) {
    return t.to(DType.FLOAT64);
  }

  /// More pixels than channels and fewer, whole vectors and such that are not, patches that reach
  /// beyond an image on all sides, odd numbers of values, more rows and values than are copied at a
  /// time.
  @ParameterizedTest
  @CsvSource({
    // count, height, width, in, out, kernel, stride
    "0, 4, 4, 3, 16, 3, 1",
    "1, 1, 1, 1, 1, 1, 1",
    "1, 5, 7, 3, 5, 3, 1",
    "2, 9, 6, 3, 64, 7, 2",
    "1, 2, 1, 4, 33, 5, 1",
    "3, 8, 8, 16, 32, 3, 2",
    "2, 7, 9, 17, 40, 1, 1",
    "2, 7, 9, 17, 40, 1, 2",
    "1, 33, 31, 8, 16, 1, 1",
    "1, 4, 3, 260, 129, 3, 1",
    "5, 1, 1, 640, 1000, 1, 1",
    "1, 40, 40, 70, 96, 3, 1",
    "2, 6, 5, 1100, 48, 1, 1",
  })
  void isTheConvolution(int count, int height, int width, int in, int out, int kernel, int stride) {
    try (var _ = Scope.open()) {
      var c = Case.of(count, height, width, in, out, kernel, stride);
      Tensor exact = c.exact();
      assertArrayEquals(
          exact.toDoubles(), c.filters().apply(c.x, false).toDoubles(), c.tolerance());
      assertArrayEquals(
          exact.relu().toDoubles(), c.filters().apply(c.x, true).toDoubles(), c.tolerance());
      Tensor sum = normal("sum", exact.shape().toArray()).channelsLast();
      Tensor expected = exact.plus(wide(sum));
      Tensor again = sum.times(1);
      c.filters().addTo_(sum, c.x, false);
      assertArrayEquals(expected.toDoubles(), sum.toDoubles(), c.tolerance());
      c.filters().addTo_(again, c.x, true);
      assertArrayEquals(expected.relu().toDoubles(), again.toDoubles(), c.tolerance());
    }
  }

  /// By pixels and by channels.
  @Test
  void howCoresShareItChangesNoBit() {
    try (var _ = Scope.open()) {
      for (var c :
          new Case[] {Case.of(1, 24, 24, 64, 64, 3, 1), Case.of(1, 3, 3, 512, 500, 1, 1)}) {
        var alone = new double[1][];
        Cores.alone(() -> alone[0] = c.filters().apply(c.x, true).toDoubles());
        assertArrayEquals(alone[0], c.filters().apply(c.x, true).toDoubles());
      }
    }
  }

  @Test
  void whatIsNoNumberStaysNone() {
    try (var _ = Scope.open()) {
      double[] pixels = {1, Double.NaN, 1, 1};
      Tensor x = Tensor.of(pixels, 1, 1, 2, 2).to(DType.FLOAT32).channelsLast();
      Tensor w = Tensor.of(new double[] {2}, 1, 1, 1, 1).to(DType.FLOAT32);
      var filters = PatchFilters.of(w, Tensor.of(new double[] {-1}, 1).to(DType.FLOAT32), 1, 0);
      assertArrayEquals(new double[] {1, Double.NaN, 1, 1}, filters.apply(x, true).toDoubles());
    }
  }

  @Test
  void refusesImagesOfOtherChannels() {
    try (var _ = Scope.open()) {
      var c = Case.of(1, 4, 4, 8, 16, 3, 1);
      Tensor other = normal("x", 1, 4, 4, 4).channelsLast();
      var e = assertThrows(IllegalArgumentException.class, () -> c.filters().apply(other, false));
      assertEquals(
          "3×3 filters of 8 channels make 16 at stride 1, padded by 1, but were given images of"
              + " 1×4×4×4 for 1×4×4×16",
          e.getMessage());
    }
  }
}
