package fathom;

import java.util.Set;
import org.jspecify.annotations.Nullable;

/// 1×1 convolutions at stride 1, which are one matrix product over all pixels: y = x·wᵀ, where x
/// has a row of C values for each pixel, as in channels-last memory, and w is O×C.
///
/// On processors with AVX-512 those of float32 are computed as that and never shown to oneDNN 3.7
/// (libtorch 2.10) as convolutions, because of two faults in its `brgconv_1x1:avx512_core`. Output
/// channels beyond the last whole block of its choice are wrong on some processors, such as the
/// last 32 of 512. And for five pairs of channels, all of them pairs of ResNet-50, its estimate of
/// blocks divides whole numbers, on the same processors by zero, which ends the JVM, in bfloat16
/// too. libtorch takes that way from 16 images on, with a stride, or on several threads.
final class Pointwise {
  private record Pair(long in, long out) {}

  private static final Set<Pair> REFUSED =
      Set.of(
          new Pair(1024, 2048),
          new Pair(1024, 512),
          new Pair(256, 1024),
          new Pair(512, 1024),
          new Pair(512, 2048));

  private Pointwise() {}

  /// Whether a convolution with this weight and padding is computed as a product here, once its
  /// stride is gone.
  static boolean isProduct(Tensor w, int padding) {
    return Products.IN_AVX512
        && padding == 0
        && w.type() == DType.FLOAT32
        && w.isOnProcessor()
        && isPointwise(w);
  }

  /// Whether the channels of this weight may end the JVM in oneDNN. They have to be computed in
  /// float32, as a product.
  static boolean isRefused(Tensor w) {
    return isRefused(w, w.shape().size(1), w.shape().size(0));
  }

  /// Whether the same is true of this weight or of its transpose, which the backward pass shows to
  /// oneDNN as well.
  static boolean isRefusedBackward(Tensor w) {
    return isRefused(w) || isRefused(w, w.shape().size(0), w.shape().size(1));
  }

  private static boolean isRefused(Tensor w, long in, long out) {
    return Products.IN_AVX512 && isPointwise(w) && REFUSED.contains(new Pair(in, out));
  }

  /// Whether this weight, O×C×K×K, is of a 1×1 convolution.
  static boolean isPointwise(Tensor w) {
    return w.shape().size(2) == 1 && w.shape().size(3) == 1;
  }

  /// Returns the convolution, in channels-last memory, with ReLU if `rectified`.
  static Tensor convolution(Tensor x, Tensor w, @Nullable Tensor bias, boolean rectified) {
    try (var scope = Scope.open()) {
      Tensor rows = rows(x);
      Tensor matrix = matrix(w);
      if (Products.takeLinear(rows, matrix)) {
        return scope.keep(images(Products.linear(rows, matrix, bias, rectified), x.shape()));
      }
      Tensor y = rows.matmul(matrix.transpose());
      if (bias != null) {
        y.add_(bias);
      }
      return scope.keep(images(rectified ? y.relu_() : y, x.shape()));
    }
  }

  /// Returns dE/dx and dE/dw, which are dy·w and dyᵀ·x.
  static TorchConvolutions.Gradients back(Tensor dy, Tensor x, Tensor w, boolean needDx) {
    try (var scope = Scope.open()) {
      Tensor rows = rows(dy);
      Tensor dw = rows.transpose().matmul(rows(x)).reshape(w.shape().toArray()).channelsLast();
      Tensor dx = needDx ? images(rows.matmul(matrix(w)), x.shape()) : null;
      return new TorchConvolutions.Gradients(dx == null ? null : scope.keep(dx), scope.keep(dw));
    }
  }

  /// Returns N·H·W × C, a view if `t` is in channels-last memory.
  private static Tensor rows(Tensor t) {
    Shape s = t.shape();
    return t.permute(0, 2, 3, 1).reshape(s.size(0) * s.size(2) * s.size(3), s.size(1));
  }

  private static Tensor matrix(Tensor w) {
    return w.reshape(w.shape().size(0), w.shape().size(1));
  }

  /// Returns rows of pixels as images as many and as large as `like`.
  private static Tensor images(Tensor rows, Shape like) {
    return rows.reshape(like.size(0), like.size(2), like.size(3), rows.shape().size(1))
        .permute(0, 3, 1, 2);
  }
}
