package fathom.nn;

import fathom.DType;
import fathom.Scope;
import fathom.Tensor;
import fathom.Traced;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/// How layers with float32 parameters take arguments in bfloat16: they compute in float32 and round
/// once, the value and dE/dx. Only a convolution multiplies in bfloat16, because there it pays.
final class InFloat32 {
  private InFloat32() {}

  static boolean takes(Tensor x) {
    return x.type() == DType.BFLOAT16;
  }

  /// What `layer` makes of `x`, a bfloat16 tensor, and the way back, in bfloat16.
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

  /// What `layer` predicts from `x`, a bfloat16 tensor.
  static Tensor predict(Tensor x, UnaryOperator<Tensor> layer) {
    try (var scope = Scope.open()) {
      return scope.keep(layer.apply(x.to(DType.FLOAT32)).to(DType.BFLOAT16));
    }
  }
}
