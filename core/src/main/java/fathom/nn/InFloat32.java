package fathom.nn;

import fathom.DType;
import fathom.Scope;
import fathom.Tensor;
import fathom.Traced;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/// Lets layers with float32 parameters accept inputs in bfloat16. They compute in float32, and the
/// output and dE/dx are rounded once. Only convolutions multiply in bfloat16, because only there it
/// is faster.
final class InFloat32 {
  private InFloat32() {}

  static boolean takes(Tensor x) {
    return x.type() == DType.BFLOAT16;
  }

  /// Runs the forward pass of `layer` for a bfloat16 tensor `x`; output and cotangents are in
  /// bfloat16.
  static Traced forward(Tensor x, Function<Tensor, Traced> layer) {
    Traced wide = layer.apply(x.to(DType.FLOAT32));
    return new Traced(
        wide.value().to(DType.BFLOAT16),
        dy -> {
          try (var scope = Scope.open()) {
            return scope.keep(wide.back(dy.to(DType.FLOAT32)).to(DType.BFLOAT16));
          }
        });
  }

  /// Returns the prediction of `layer` for a bfloat16 tensor `x`.
  static Tensor predict(Tensor x, UnaryOperator<Tensor> layer) {
    try (var scope = Scope.open()) {
      return scope.keep(layer.apply(x.to(DType.FLOAT32)).to(DType.BFLOAT16));
    }
  }
}
