package fathom.nn;

import fathom.DType;
import fathom.Layer;
import fathom.Param;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Torch;
import fathom.Traced;
import java.util.LinkedHashMap;
import java.util.Map;

/// The layer y = g·tanh(α·x) + b with one trained α, and with a gain g and a bias b for each
/// channel of N×C or N×C×H×W (Zhu et al. 2025, "Transformers without normalization"). It takes the
/// place of a norm and needs no statistics.
public record DynamicTanh(Param alpha, Param gain, Param bias) implements Layer {
  /// Returns a layer with this initial α, gains 1 and biases 0. The paper starts α at 0.5.
  public static DynamicTanh of(double alpha, int channels) {
    return new DynamicTanh(
        Param.of(Tensor.zeros(DType.FLOAT32, 1).plus(alpha)),
        Param.of(Tensor.zeros(DType.FLOAT32, channels).plus(1)),
        Param.of(Tensor.zeros(DType.FLOAT32, channels)));
  }

  @Override
  public Traced forward(Tensor x) {
    if (InFloat32.takes(x)) {
      return InFloat32.forward(x, this::forward);
    }
    PerChannel.check(this, gain, x);
    Tensor t = squashed(x);
    return new Traced(affine(t), dy -> back(dy, x, t));
  }

  private Tensor back(Tensor dy, Tensor x, Tensor t) {
    try (var scope = Scope.open()) {
      long[] others = PerChannel.others(x.shape());
      long channels = gain.value().shape().size(0);
      bias.grad().add_(dy.sum(others).reshape(channels));
      gain.grad().add_(dy.times(t).sum(others).reshape(channels));
      Tensor inside = Torch.tanhBackward(dy.times(PerChannel.of(gain, x.shape())), t);
      alpha.grad().add_(inside.times(x).sum().reshape(1));
      return scope.keep(inside.times(scalar(x)));
    }
  }

  @Override
  public Shape shape(Shape x) {
    return x;
  }

  @Override
  public Tensor predict(Tensor x) {
    if (InFloat32.takes(x)) {
      return InFloat32.predict(x, this::predict);
    }
    PerChannel.check(this, gain, x);
    try (var scope = Scope.open()) {
      return scope.keep(affine(squashed(x)));
    }
  }

  private Tensor squashed(Tensor x) {
    try (var scope = Scope.open()) {
      return scope.keep(x.times(scalar(x)).tanh());
    }
  }

  /// Returns α with as many dimensions as `x`.
  private Tensor scalar(Tensor x) {
    return x.shape().rank() == 2 ? alpha.value().reshape(1, 1) : alpha.value().reshape(1, 1, 1, 1);
  }

  private Tensor affine(Tensor t) {
    try (var scope = Scope.open()) {
      return scope.keep(
          t.times(PerChannel.of(gain, t.shape())).plus(PerChannel.of(bias, t.shape())));
    }
  }

  @Override
  public Map<String, Param> own() {
    var byName = new LinkedHashMap<String, Param>();
    byName.put("alpha", alpha);
    byName.put("weight", gain);
    byName.put("bias", bias);
    return byName;
  }

  @Override
  public String toString() {
    return "DynamicTanh " + gain.value().shape();
  }
}
