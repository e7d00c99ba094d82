package fathom.nn;

import fathom.DType;
import fathom.Layer;
import fathom.Param;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;
import java.util.Map;

/// The layer y = x + b with one trained bias for each channel of N×C or N×C×H×W. Before a norm it
/// preserves the size of the input, which the norm would remove ([AnchoredNorm]); it can also take
/// the place of a norm.
public record Bias(Param bias) implements Layer {
  /// Returns a layer with biases of 0.
  public static Bias of(int channels) {
    return new Bias(Param.of(Tensor.zeros(DType.FLOAT32, channels)));
  }

  @Override
  public Traced forward(Tensor x) {
    if (InFloat32.takes(x)) {
      return InFloat32.forward(x, this::forward);
    }
    Shape shape = x.shape();
    return new Traced(
        predict(x),
        dy -> {
          accumulate(dy, shape);
          return dy.alias();
        });
  }

  private void accumulate(Tensor dy, Shape shape) {
    try (var _ = Scope.open()) {
      bias.grad().add_(dy.sum(PerChannel.others(shape)).reshape(bias.value().shape().size(0)));
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
    PerChannel.check(this, bias, x);
    try (var scope = Scope.open()) {
      return scope.keep(x.plus(PerChannel.of(bias, x.shape())));
    }
  }

  /// Adds the bias in place to a tensor that no one else uses, and returns that tensor.
  Tensor addTo_(Tensor own) {
    PerChannel.check(this, bias, own);
    try (var _ = Scope.open()) {
      own.add_(PerChannel.of(bias, own.shape()).expand(own.shape()));
    }
    return own;
  }

  /// Adds the bias in place to the output of a layer, and returns the sum with its pullback. The
  /// layer's pullback must not read the layer's output.
  Traced addedTo_(Traced own) {
    Shape shape = own.value().shape();
    return new Traced(
        addTo_(own.value()),
        dy -> {
          accumulate(dy, shape);
          return own.back(dy);
        });
  }

  @Override
  public Map<String, Param> own() {
    return Map.of("bias", bias);
  }

  @Override
  public String toString() {
    return "Bias " + bias.value().shape();
  }
}
