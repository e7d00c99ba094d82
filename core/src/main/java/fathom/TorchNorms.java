package fathom;

import org.bytedeco.javacpp.BoolPointer;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.T_TensorTensorTensor_T;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// The operations of libtorch that norms are made of. None of them reads tensor memory from Java,
/// so the tensors may be on any device.
public final class TorchNorms {
  private TorchNorms() {}

  /// A layer-normalised tensor with the mean and the reciprocal standard deviation of each case,
  /// which [#layerNormBackward] reads.
  public record LayerNormed(Tensor value, Tensor mean, Tensor reciprocal) {}

  /// Computes layer norm over the last dimensions, whose sizes are `features` (Ba et al. 2016, eq.
  /// 3). Throws `IllegalArgumentException` if the gain or the bias has another type than `x`.
  public static LayerNormed layerNorm(
      Tensor x, Shape features, @Nullable Tensor gain, @Nullable Tensor bias, double epsilon) {
    try (var g = optional(x, gain);
        var b = optional(x, bias);
        T_TensorTensorTensor_T normed =
            torch.native_layer_norm(x.raw(), features.toArray(), g, b, epsilon)) {
      return new LayerNormed(
          Torch.own(normed.get0()), Torch.own(normed.get1()), Torch.own(normed.get2()));
    }
  }

  private static TensorOptional optional(Tensor x, @Nullable Tensor perElement) {
    if (perElement == null) {
      return new TensorOptional();
    }
    x.checkType("layer norm", perElement);
    return new TensorOptional(perElement.raw());
  }

  /// The gradients of layer norm: dE/dx and, if there is a gain or a bias, dE/dgain and dE/dbias.
  public record LayerNormGradients(Tensor dx, @Nullable Tensor dgain, @Nullable Tensor dbias) {}

  /// Returns the gradients of [#layerNorm] for the cotangent `dy` of its output; `normed` is the
  /// result of the forward pass.
  public static LayerNormGradients layerNormBackward(
      Tensor dy,
      Tensor x,
      Shape features,
      LayerNormed normed,
      @Nullable Tensor gain,
      @Nullable Tensor bias) {
    try (var g = optional(x, gain);
        var b = optional(x, bias);
        var mask = new BoolPointer(3)) {
      mask.put(0, true).put(1, gain != null).put(2, bias != null);
      try (T_TensorTensorTensor_T gradients =
          torch.native_layer_norm_backward(
              dy.raw(),
              x.raw(),
              features.toArray(),
              normed.mean().raw(),
              normed.reciprocal().raw(),
              g,
              b,
              mask)) {
        return new LayerNormGradients(
            Torch.own(gradients.get0()),
            gain == null ? null : Torch.own(gradients.get1()),
            bias == null ? null : Torch.own(gradients.get2()));
      }
    }
  }

  /// Returns `x·factor + constant` in one pass; sizes of 1 are repeated to the largest. Throws
  /// `IllegalArgumentException` if the types differ.
  public static Tensor affine(Tensor x, Tensor factor, Tensor constant) {
    x.checkType("a product", factor);
    x.checkType("a sum", constant);
    return Tensor.adopt(torch.addcmul(constant.raw(), x.raw(), factor.raw()));
  }

  /// Returns the sum over `dims` as a float64 tensor, accumulated in float64. The dimensions remain
  /// with size 1.
  public static Tensor sumInDoubles(Tensor x, long... dims) {
    try (var type = new ScalarTypeOptional(Torch.scalarType(DType.FLOAT64))) {
      return Tensor.adopt(x.raw().sum(dims, true, type));
    }
  }

  /// Returns 1/√v, and 0 where v is 0.
  public static Tensor reciprocalRoot(Tensor v) {
    try (var scope = Scope.open();
        var zero = new Scalar(0.0);
        var equal = v.raw().eq(zero)) {
      Tensor isZero = Tensor.adopt(equal.to(Torch.scalarType(v.type())));
      Tensor root = Tensor.adopt(v.plus(isZero).raw().rsqrt());
      return scope.keep(root.minus(root.times(isZero))); // 1 − 1 where v is 0
    }
  }
}
