package fathom;

import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Convolutions of small shapes against float64, which libtorch computes by loops of its own. The
/// library behind the other types has special cases for few channels, small images and strides,
/// some of which are wrong on some processors; such cases are taken from it in [TorchConvolutions].
class ConvolutionShapesTest {
  @ParameterizedTest
  @CsvSource({
    "FLOAT32, 3, 1, 1e-5",
    "FLOAT32, 3, 2, 1e-5",
    "FLOAT32, 1, 1, 1e-5",
    "FLOAT32, 1, 2, 1e-5",
    "FLOAT32, 5, 1, 1e-5",
    "FLOAT32, 7, 2, 1e-5",
    "FLOAT32, 3, 3, 1e-5",
    "BFLOAT16, 3, 1, 0.02",
    "BFLOAT16, 3, 2, 0.02",
    "BFLOAT16, 1, 1, 0.02",
    "BFLOAT16, 1, 2, 0.02",
    "BFLOAT16, 7, 2, 0.02"
  })
  void valuesAndGradientsAreThoseOfFloat64(DType type, int kernel, int stride, double bound) {
    var wrong = new ArrayList<String>();
    for (int images : List.of(1, 7)) {
      for (int in : List.of(1, 2, 3, 8, 16)) {
        for (int out : List.of(1, 2, 5, 8, 16)) {
          for (int side : List.of(1, 2, 4, 7)) {
            try (var _ = Scope.open()) {
              compare(type, new int[] {images, in, out, side, kernel, stride}, bound, wrong);
            }
          }
        }
      }
    }
    assertTrue(wrong.isEmpty(), () -> wrong.size() + " are wrong: " + wrong);
  }

  /// The pairs of channels for which oneDNN divides by zero, which ends the JVM, and their
  /// transposes; with and without a stride, with as few images as libtorch computes by itself and
  /// as many as it does not.
  @ParameterizedTest
  @CsvSource({
    "FLOAT32, 1024, 2048, 1e-5",
    "FLOAT32, 1024, 512, 1e-5",
    "FLOAT32, 256, 1024, 1e-5",
    "FLOAT32, 512, 1024, 1e-5",
    "FLOAT32, 512, 2048, 1e-5",
    "FLOAT32, 1024, 256, 1e-5",
    "FLOAT32, 2048, 512, 1e-5",
    "FLOAT32, 2048, 1024, 1e-5",
    "BFLOAT16, 256, 1024, 0.02",
    "BFLOAT16, 1024, 256, 0.02",
    "BFLOAT16, 512, 2048, 0.02"
  })
  void channelsThatEndTheJvmElsewhere(DType type, int in, int out, double bound) {
    var wrong = new ArrayList<String>();
    for (int images : List.of(1, 16)) {
      for (int stride : List.of(1, 2)) {
        try (var _ = Scope.open()) {
          compare(type, new int[] {images, in, out, 5, 1, stride}, bound, wrong);
        }
      }
    }
    assertTrue(wrong.isEmpty(), () -> wrong.size() + " are wrong: " + wrong);
  }

  /// 1×1 convolutions as products of all pixels, large and small, and channels that leave the last
  /// block of oneDNN's choice incomplete.
  @ParameterizedTest
  @CsvSource({
    "16, 24, 40, 14",
    "16, 64, 512, 7",
    "1, 40, 24, 32",
    "4, 64, 48, 24",
    "3, 32, 32, 35",
    "20, 32, 24, 4",
    "2, 48, 96, 7"
  })
  void pixelsByChannelsAreAProduct(int images, int in, int out, int side) {
    var wrong = new ArrayList<String>();
    try (var _ = Scope.open()) {
      compare(DType.FLOAT32, new int[] {images, in, out, side, 1, 1}, 1e-5, wrong);
    }
    assertTrue(wrong.isEmpty(), () -> wrong.size() + " are wrong: " + wrong);
  }

  @Test
  void packedPointwiseConvolutionsAreThoseOfFloat64() {
    assumeTrue(PackedConvolution.isSupported(DType.FLOAT32), "libtorch has no packed convolution");
    for (int images : List.of(1, 16)) {
      try (var _ = Scope.open()) {
        Tensor x = drawn("x", DType.FLOAT32, images, 512, 7, 7);
        Tensor w = drawn("w", DType.FLOAT32, 2048, 512, 1, 1);
        Tensor b = Tensor.normal(RandomKey.of(1, "b"), DType.FLOAT32, 2048);
        Tensor addend = drawn("sum", DType.FLOAT32, images, 2048, 7, 7);
        Tensor right =
            TorchConvolutions.convolution(
                x.to(DType.FLOAT64), w.to(DType.FLOAT64), b.to(DType.FLOAT64), 1, 0);
        var packed = PackedConvolution.of(w, b, x.shape(), 1, 0);
        Tensor sum = addend.times(1).channelsLast();
        packed.addTo_(sum, x, true);
        var wrong = new ArrayList<String>();
        note("f(y)", packed.apply(x, true), right.times(1).relu_(), "512 to 2048", 1e-5, wrong);
        note("f(s + y)", sum, right.plus(addend.to(DType.FLOAT64)).relu_(), "", 1e-5, wrong);
        assertTrue(wrong.isEmpty(), () -> images + " images: " + wrong);
      }
    }
  }

  private static void compare(DType type, int[] of, double bound, List<String> wrong) {
    int kernel = of[4];
    int stride = of[5];
    int padding = kernel / 2;
    int side = (of[3] + 2 * padding - kernel) / stride + 1;
    Tensor x = drawn("x", type, of[0], of[1], of[3], of[3]);
    Tensor w = drawn("w", type, of[2], of[1], kernel, kernel);
    Tensor dy = drawn("dy", type, of[0], of[2], side, side);
    Tensor y = TorchConvolutions.convolution(x, w, stride, padding);
    TorchConvolutions.Gradients d =
        TorchConvolutions.convolutionBackward(dy, x, w, stride, padding, true);
    Tensor wideX = x.to(DType.FLOAT64);
    Tensor wideW = w.to(DType.FLOAT64);
    TorchConvolutions.Gradients wide =
        TorchConvolutions.convolutionBackward(
            dy.to(DType.FLOAT64), wideX, wideW, stride, padding, true);
    String shape =
        "%s images of %s×%s×%s to %s channels".formatted(of[0], of[1], of[3], of[3], of[2]);
    note("y", y, TorchConvolutions.convolution(wideX, wideW, stride, padding), shape, bound, wrong);
    assertNotNull(d.dx());
    assertNotNull(wide.dx());
    note("dE/dx", d.dx(), wide.dx(), shape, bound, wrong);
    note("dE/dw", d.dw(), wide.dw(), shape, bound, wrong);
  }

  private static Tensor drawn(String name, DType type, long... sizes) {
    return Tensor.normal(RandomKey.of(1, name), DType.FLOAT32, sizes).to(type).channelsLast();
  }

  /// Notes a result that differs by more than `bound` of the largest element.
  private static void note(
      String what, Tensor is, Tensor right, String shape, double bound, List<String> wrong) {
    double[] a = is.contiguous().to(DType.FLOAT64).toDoubles();
    double[] b = right.contiguous().toDoubles();
    double largest = 0;
    boolean near = a.length == b.length;
    for (double each : b) {
      largest = Math.max(largest, Math.abs(each));
    }
    for (int i = 0; near && i < a.length; i++) {
      near = Math.abs(a[i] - b[i]) <= bound * (1e-3 + largest);
    }
    if (!near) {
      wrong.add(what + " of " + shape);
    }
  }
}
