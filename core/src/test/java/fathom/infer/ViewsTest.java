package fathom.infer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import fathom.Predictor;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class ViewsTest {
  /// Two images of 6×6 pixels, whose values are 10·row + column, and a hundred more in the second.
  private static Tensor ramp() {
    double[] values = new double[2 * 36];
    Arrays.setAll(values, i -> i / 36 * 100 + i % 36 / 6 * 10 + i % 6);
    return Tensor.of(values, 2, 1, 6, 6);
  }

  /// The first pixel of every view of the first image says where the view begins, and its last one
  /// in the row in which direction it goes.
  @Test
  void tenCropsOfARamp() {
    double[][] ends = {{0, 3}, {2, 5}, {20, 23}, {22, 25}, {11, 14}};
    try (var _ = Scope.open()) {
      List<Tensor> views = Views.TEN_CROP.views(ramp(), 4);
      assertEquals(10, views.size());
      for (int i = 0; i < 10; i++) {
        assertEquals(Shape.of(2, 1, 4, 4), views.get(i).shape());
        double[] pixels = views.get(i).contiguous().toDoubles();
        double[] end = ends[i % 5];
        assertEquals(end[i < 5 ? 0 : 1], pixels[0], "view " + i);
        assertEquals(end[i < 5 ? 1 : 0], pixels[3], "view " + i);
        assertEquals(end[i < 5 ? 1 : 0] + 30, pixels[15], "view " + i);
        assertEquals(end[i < 5 ? 0 : 1] + 100, pixels[16], "view " + i);
      }
    }
  }

  /// The centre of an odd margin begins at its half, rounded down.
  @Test
  void theCentreOfAnOddMargin() {
    try (var _ = Scope.open()) {
      assertEquals(11, Views.TEN_CROP.views(ramp(), 3).get(4).contiguous().toDoubles()[0]);
    }
  }

  /// The logits are the first pixel and 0: for ln 3 the probability is 3/4, for 0 it is 1/2, and
  /// the mean is 5/8. The mean of the logits would give less.
  @Test
  void probabilitiesAreAveraged() {
    Predictor first =
        x -> {
          Tensor pixel = x.narrow(2, 0, 1).narrow(3, 0, 1).contiguous().reshape(1, 1);
          return Tensor.concatenated(1, List.of(pixel, pixel.zerosLike()));
        };
    try (var _ = Scope.open()) {
      Tensor image = Tensor.of(new double[] {Math.log(3), 0}, 1, 1, 1, 2);
      double[] logs = Views.FLIP.of(first, 1).predict(image).toDoubles();
      assertArrayEquals(new double[] {Math.log(5.0 / 8), Math.log(3.0 / 8)}, logs, 1e-15);
      Tensor far = Tensor.of(new double[] {-2000, -1000}, 1, 1, 1, 2);
      assertEquals(-1000 - Math.log(2), Views.FLIP.of(first, 1).predict(far).toDoubles()[0], 1e-9);
      assertSame(first, Views.ONE.of(first, 1));
    }
  }

  @Test
  void smallerImagesHaveNoCrops() {
    try (var _ = Scope.open()) {
      assertThrows(IllegalArgumentException.class, () -> Views.TEN_CROP.views(ramp(), 7));
    }
  }
}
