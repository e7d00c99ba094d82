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

/// y = x·Wᵀ + b for x of N×I, with a weight of O×I and a bias of O.
public record Dense(Param weight, Param bias) implements Layer {
  /// He's weights and a zero bias.
  public static Dense of(Init init, String path, int in, int out) {
    return new Dense(
        Param.of(init.weights(Node.path(path, "weight"), in, out, in)),
        Param.of(Tensor.zeros(DType.FLOAT32, out)));
  }

  @Override
  public Traced forward(Tensor x) {
    return new Traced(
        predict(x),
        dy -> {
          try (var scope = Scope.open()) {
            weight.grad().addProduct_(dy.transpose(), x); // O×I += (N×O)ᵀ · N×I
            bias.grad().add_(dy.sum(0).reshape(bias.value().shape().size(0)));
            return scope.keep(dy.matmul(weight.value()));
          }
        });
  }

  @Override
  public Tensor predict(Tensor x) {
    long in = weight.value().shape().size(1);
    if (x.shape().rank() != 2 || x.shape().size(1) != in) {
      throw new IllegalArgumentException(
          "%s needs N×%d, but was given %s; flatten pictures first".formatted(this, in, x.shape()));
    }
    return Torch.linear(x, weight.value(), bias.value());
  }

  @Override
  public Map<String, Param> own() {
    var byName = new LinkedHashMap<String, Param>();
    byName.put("weight", weight);
    byName.put("bias", bias);
    return byName;
  }

  @Override
  public long multiplyAdds(Shape in, Shape out) {
    return in.size(0) * weight.value().shape().elements();
  }

  @Override
  public String toString() {
    Shape w = weight.value().shape();
    return "Dense %d→%d".formatted(w.size(1), w.size(0));
  }
}
