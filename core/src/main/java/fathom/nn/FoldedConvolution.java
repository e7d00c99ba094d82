package fathom.nn;

import fathom.DType;
import fathom.Param;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.TorchConvolutions;
import org.jspecify.annotations.Nullable;

/// A convolution with the batch norm or the bias behind it folded in, w∗x + b, with or without
/// ReLU.
///
/// @param plain the original convolution, of which only the sizes are read
/// @param weight its own weight, O×C×K×K
/// @param bias its own bias, O
/// @param packed the weight in the order in which the kernel reads it; null if it is not packed
record FoldedConvolution(
    Conv2d plain, Tensor weight, Tensor bias, boolean rectified, @Nullable ReadyConvolution packed)
    implements Piece {
  static FoldedConvolution of(Conv2d conv, BatchNorm norm, boolean rectified, DType between) {
    Tensor w = conv.weight().value();
    double[] weight = w.toDoubles();
    double[] gain = norm.weight().value().toDoubles();
    double[] bias = norm.bias().value().toDoubles();
    double[] mean = norm.runningMean().value().toDoubles();
    double[] variance = norm.runningVariance().value().toDoubles();
    int each = weight.length / gain.length;
    for (int c = 0; c < gain.length; c++) {
      double factor = gain[c] / Math.sqrt(variance[c] + BatchNorm.EPSILON);
      for (int i = 0; i < each; i++) {
        weight[c * each + i] *= factor;
      }
      bias[c] -= mean[c] * factor;
    }
    try (var scope = Scope.open()) {
      DType type = between == DType.BFLOAT16 ? between : w.type();
      Tensor folded = Tensor.of(weight, w.shape().toArray()).to(type).channelsLast();
      Tensor constant = Tensor.of(bias, bias.length).to(type);
      return new FoldedConvolution(conv, scope.keep(folded), scope.keep(constant), rectified, null);
    }
  }

  /// Returns a convolution with a bias and without ReLU.
  static FoldedConvolution of(Conv2d conv, Param bias, DType between) {
    try (var scope = Scope.open()) {
      Tensor w = conv.weight().value();
      DType type = between == DType.BFLOAT16 ? between : w.type();
      Tensor own = Tensor.of(w.toDoubles(), w.shape().toArray()).to(type).channelsLast();
      Tensor constant = Tensor.of(bias.value().toDoubles(), bias.value().shape().size(0)).to(type);
      return new FoldedConvolution(conv, scope.keep(own), scope.keep(constant), false, null);
    }
  }

  /// Returns a convolution with the standardized weights and a bias of zeros.
  static FoldedConvolution of(StandardizedConv2d conv, DType between) {
    try (var scope = Scope.open()) {
      Tensor w = conv.standardized();
      DType type = between == DType.BFLOAT16 ? between : w.type();
      Tensor none = Tensor.zeros(type, w.shape().size(0));
      return new FoldedConvolution(
          conv.convolution(), scope.keep(w.to(type).channelsLast()), scope.keep(none), false, null);
    }
  }

  @Override
  public FoldedConvolution packedFor(Shape images) {
    if (weight.type() == DType.BFLOAT16 && images.size(1) == 1) {
      return this; // which libtorch computes wrongly on some processors; see
      // TorchConvolutions#convolution
    }
    var own = ReadyConvolution.of(plain, weight, bias, images);
    return new FoldedConvolution(plain, weight, bias, rectified, own);
  }

  @Override
  public Tensor predict(Tensor x) {
    try (var scope = Scope.open()) {
      Tensor in = plain.input(x);
      ReadyConvolution fitting = fitting(in);
      if (fitting != null) {
        return scope.keep(fitting.apply(in, rectified));
      }
      Tensor y = TorchConvolutions.convolution(in, weight, bias, plain.stride(), plain.padding());
      return scope.keep(rectified ? y.relu_() : y);
    }
  }

  /// Returns the packed convolution if it was packed for such images, else null.
  private @Nullable ReadyConvolution fitting(Tensor x) {
    return packed != null && packed.isFor(x.shape()) && x.type() == weight.type() ? packed : null;
  }

  /// Computes `sum = f(sum + w∗x + b)` in place, where f is ReLU or the identity.
  void addTo_(Tensor sum, Tensor x, boolean thenRectified) {
    try (var _ = Scope.open()) {
      Tensor in = plain.input(x);
      ReadyConvolution fitting = fitting(in);
      if (fitting != null && sum.isChannelsLast()) {
        fitting.addTo_(sum, in, thenRectified);
        return;
      }
      Tensor f = predict(in);
      Residual.check(f, sum);
      sum.add_(f);
      if (thenRectified) {
        sum.relu_();
      }
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
    return plain + " + bias" + (rectified ? " + Relu" : "");
  }
}
