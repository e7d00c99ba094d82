package fathom.nn;

import fathom.DType;
import fathom.Layer;
import fathom.Node;
import fathom.Param;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Torch;
import fathom.Traced;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The layer y = x·Wᵀ + b for x of N×I, with a weight of O×I and a bias of O. The bias is absent
/// where a norm follows that would remove it. An input in bfloat16 is multiplied in float32.
public record Dense(Param weight, @Nullable Param bias) implements Layer {
  /// Returns a layer with He's initial weights and biases of 0.
  public static Dense of(Init init, String path, int in, int out) {
    return new Dense(
        Param.of(init.weights(Node.path(path, "weight"), in, out, in)),
        Param.of(Tensor.zeros(DType.FLOAT32, out)));
  }

  /// Returns a layer with He's initial weights and no bias.
  public static Dense withoutBias(Init init, String path, int in, int out) {
    return new Dense(Param.of(init.weights(Node.path(path, "weight"), in, out, in)), null);
  }

  @Override
  public Traced forward(Tensor x) {
    if (InFloat32.takes(x)) {
      return InFloat32.forward(x, this::forward);
    }
    Tensor w = weight.value();
    return new Traced(
        predict(x, w),
        dy -> {
          try (var scope = Scope.open()) {
            weight.grad().addProduct_(dy.transpose(), x); // O×I += (N×O)ᵀ · N×I
            return scope.keep(back(dy, w));
          }
        });
  }

  /// Runs the forward pass with the weight `w` instead of this layer's own. The pullback passes its
  /// gradient to `dweight`.
  Traced forward(Tensor x, Tensor w, Consumer<Tensor> dweight) {
    if (InFloat32.takes(x)) {
      return InFloat32.forward(x, wide -> forward(wide, w, dweight));
    }
    return new Traced(
        predict(x, w),
        dy -> {
          try (var scope = Scope.open()) {
            dweight.accept(dy.transpose().matmul(x));
            return scope.keep(back(dy, w));
          }
        });
  }

  private Tensor back(Tensor dy, Tensor w) {
    if (bias != null) {
      bias.grad().add_(dy.sum(0).reshape(bias.value().shape().size(0)));
    }
    return dy.matmul(w);
  }

  @Override
  public Shape shape(Shape x) {
    Shape w = weight.value().shape();
    if (x.rank() != 2 || x.size(1) != w.size(1)) {
      throw new IllegalArgumentException(
          "%s needs N×%s, but was given %s; flatten images first".formatted(this, w.size(1), x));
    }
    return Shape.of(x.size(0), w.size(0));
  }

  @Override
  public Tensor predict(Tensor x) {
    return predict(x, weight.value());
  }

  Tensor predict(Tensor x, Tensor w) {
    if (InFloat32.takes(x)) {
      return InFloat32.predict(x, wide -> predict(wide, w));
    }
    shape(x.shape());
    if (bias != null) {
      return Torch.linear(x, w, bias.value());
    }
    try (var scope = Scope.open()) {
      return scope.keep(x.matmul(w.transpose()));
    }
  }

  @Override
  public Map<String, Param> own() {
    var byName = new LinkedHashMap<String, Param>();
    byName.put("weight", weight);
    if (bias != null) {
      byName.put("bias", bias);
    }
    return byName;
  }

  @Override
  public long multiplyAdds(Shape in, Shape out) {
    return in.size(0) * weight.value().shape().elements();
  }

  @Override
  public String toString() {
    Shape w = weight.value().shape();
    return "Dense %s→%s".formatted(w.size(1), w.size(0));
  }
}
