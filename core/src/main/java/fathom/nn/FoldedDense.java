package fathom.nn;

import fathom.DType;
import fathom.Param;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import org.jspecify.annotations.Nullable;

/// A dense layer as a 1×1 convolution. N rows of C activations are N pixels of C channels that lie
/// side by side in memory, and so they are an image 1×C×N×1; a 1×1 convolution of that image yields
/// N rows again. A convolution uses all cores, while the library's matrix product of few rows uses
/// one.
///
/// @param plain the dense layer over copies of its weights
/// @param packed the packed convolution; null if it is not packed
record FoldedDense(Dense plain, @Nullable ReadyConvolution packed) implements Piece {
  static FoldedDense of(Dense dense) {
    Param bias = dense.bias();
    return new FoldedDense(new Dense(copy(dense.weight()), bias == null ? null : copy(bias)), null);
  }

  private static Param copy(Param param) {
    return Param.buffer(param.value().times(1));
  }

  @Override
  public FoldedDense packedFor(Shape x) {
    Tensor w = plain.weight().value();
    Param bias = plain.bias();
    if (bias == null || w.type() != DType.FLOAT32 || x.rank() != 2) {
      return this;
    }
    Tensor kernel = w.reshape(w.shape().size(0), w.shape().size(1), 1, 1);
    return new FoldedDense(
        plain, ReadyConvolution.of(kernel, bias.value(), 1, 0, image(x.size(0), w)));
  }

  /// The shape of N rows as an image.
  private static Shape image(long n, Tensor w) {
    return Shape.of(1, w.shape().size(1), n, 1);
  }

  @Override
  public Tensor predict(Tensor x) {
    ReadyConvolution own = packed;
    long n = x.shape().size(0);
    if (own == null
        || x.type() != DType.FLOAT32
        || x.shape().rank() != 2
        || !own.isFor(image(n, plain.weight().value()))) {
      return plain.predict(x);
    }
    try (var scope = Scope.open()) {
      Tensor image = x.reshape(1, n, 1, x.shape().size(1)).permute(0, 3, 1, 2);
      Tensor y = own.apply(image, false);
      return scope.keep(y.permute(0, 2, 3, 1).reshape(n, y.shape().size(1)));
    }
  }

  @Override
  public Shape shape(Shape x) {
    return plain.shape(x);
  }

  @Override
  public boolean givesOwnMemory() {
    return true;
  }

  @Override
  public String toString() {
    return plain.toString();
  }
}
