package fathom;

import org.bytedeco.javacpp.BoolPointer;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.T_TensorTensorTensor_T;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// Libtorch's operations of which norms are made. None of them reads memory here, so tensors may be
/// on any device.
public final class TorchNorms {
  private TorchNorms() {}

  /// A layer-normalised tensor with the mean and the reciprocal standard deviation of each case.
  public record LayerNormed(Tensor value, Tensor mean, Tensor reciprocal) {}

  /// Layer norm over the last dimensions, of sizes `features` (Ba et al. 2016, eq. 3).
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

  /// dE/dx and, where there is a gain or a bias, dE/dgain and dE/dbias.
  public record LayerNormGradients(Tensor dx, @Nullable Tensor dgain, @Nullable Tensor dbias) {}

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

  /// `x·factor + constant`, each of which is repeated to the largest, in one pass.
  public static Tensor affine(Tensor x, Tensor factor, Tensor constant) {
    x.checkType("a product", factor);
    x.checkType("a sum", constant);
    return Tensor.adopt(torch.addcmul(constant.raw(), x.raw(), factor.raw()));
  }

  /// The sum over `dims`, which stay as dimensions of size 1, added up in float64.
  public static Tensor sumInDoubles(Tensor x, long... dims) {
    try (var type = new ScalarTypeOptional(Torch.scalarType(DType.FLOAT64))) {
      return Tensor.adopt(x.raw().sum(dims, true, type));
    }
  }

  /// 1/√v, and 0 where v is 0.
  public static Tensor reciprocalRoot(Tensor v) {
    try (var scope = Scope.open();
        var zero = new Scalar(0.0);
        var equal = v.raw().eq(zero)) {
      Tensor isZero = Tensor.adopt(equal.to(Torch.scalarType(v.type())));
      Tensor root = Tensor.adopt(v.plus(isZero).raw().rsqrt());
      return scope.keep(root.minus(root.times(isZero))); // 1 − 1 there
    }
  }
}
