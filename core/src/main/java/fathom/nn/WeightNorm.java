package fathom.nn;

import fathom.Layer;
import fathom.Param;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;
import java.util.LinkedHashMap;
import java.util.Map;

/// Weight norm (Salimans and Kingma 2016, eq. 2): a [Dense] or [Conv2d] with weights w = g·v/‖v‖
/// for each output. The wrapped layer's weights are v, and there is a gain g for each output. If v
/// is zero, so is w, and the gradients of that output are of no use.
///
/// @param weighted the layer whose weights are v
/// @param gain g
public record WeightNorm(Layer weighted, Param gain) implements Layer {
  /// Prevents division by zero; it is negligible beside any length that is not zero.
  private static final double TINY = 1e-30;

  /// Throws `IllegalArgumentException` if the layer is neither a Dense nor a Conv2d, or if there is
  /// not one gain for each of its outputs.
  public WeightNorm {
    long outputs = weight(weighted).value().shape().size(0);
    if (!gain.value().shape().equals(Shape.of(outputs))) {
      throw new IllegalArgumentException(
          "weight norm has a gain for each of the %s outputs of %s, but its gains are %s"
              .formatted(outputs, weighted, gain.value().shape()));
    }
  }

  /// Returns a layer with gains ‖v‖, so that it starts as the same function as `weighted`.
  public static WeightNorm of(Layer weighted) {
    return new WeightNorm(weighted, Param.of(lengthOfEach(weight(weighted).value())));
  }

  private static Tensor lengthOfEach(Tensor v) {
    try (var scope = Scope.open()) {
      return scope.keep(lengths(v).reshape(v.shape().size(0)).plus(0.0));
    }
  }

  private static Param weight(Layer weighted) {
    return switch (weighted) {
      case Dense dense -> dense.weight();
      case Conv2d conv -> conv.weight();
      default ->
          throw new IllegalArgumentException(
              "weight norm is for Dense and Conv2d, but was given " + weighted);
    };
  }

  /// Returns ‖v‖ of each output, in a shape that broadcasts against v.
  private static Tensor lengths(Tensor v) {
    return v.square().sum(inputs(v)).sqrt();
  }

  private static long[] inputs(Tensor v) {
    return v.shape().rank() == 2 ? new long[] {1} : new long[] {1, 2, 3};
  }

  private Tensor gains(Tensor v) {
    long outputs = v.shape().size(0);
    return v.shape().rank() == 2
        ? gain.value().reshape(outputs, 1)
        : gain.value().reshape(outputs, 1, 1, 1);
  }

  private Tensor weight() {
    try (var scope = Scope.open()) {
      Tensor v = weight(weighted).value();
      return scope.keep(v.times(gains(v).dividedBy(lengths(v).plus(TINY))));
    }
  }

  /// Returns the wrapped layer with the weights w of the present v and g, for prediction. The
  /// weights live in the innermost scope.
  public Layer folded() {
    Param w = Param.of(weight());
    return switch (weighted) {
      case Dense dense -> new Dense(w, dense.bias());
      case Conv2d conv -> new Conv2d(w, conv.stride(), conv.padding());
      default -> throw new IllegalStateException("checked when it was made");
    };
  }

  @Override
  public Traced forward(Tensor x) {
    Tensor w = weight();
    return switch (weighted) {
      case Dense dense -> dense.forward(x, w, this::accumulate);
      case Conv2d conv -> conv.forward(x, w, this::accumulate);
      default -> throw new IllegalStateException("checked when it was made");
    };
  }

  /// Adds the gradients of g and v. With u = v/‖v‖ they are dg = ⟨dw, u⟩ and dv = g/‖v‖·(dw − ⟨dw,
  /// u⟩·u) (eq. 3).
  private void accumulate(Tensor dw) {
    try (var _ = Scope.open()) {
      Param v = weight(weighted);
      Tensor length = lengths(v.value()).plus(TINY);
      Tensor u = v.value().dividedBy(length);
      Tensor along = dw.times(u).sum(inputs(u));
      gain.grad().add_(along.reshape(gain.value().shape().size(0)));
      v.grad().add_(dw.minus(u.times(along)).times(gains(u).dividedBy(length)));
    }
  }

  @Override
  public Shape shape(Shape x) {
    return weighted.shape(x);
  }

  @Override
  public Tensor predict(Tensor x) {
    try (var scope = Scope.open()) {
      Tensor w = weight();
      return scope.keep(
          switch (weighted) {
            case Dense dense -> dense.predict(x, w);
            case Conv2d conv -> conv.predict(x, w);
            default -> throw new IllegalStateException("checked when it was made");
          });
    }
  }

  @Override
  public Map<String, Param> own() {
    var byName = new LinkedHashMap<String, Param>();
    byName.put("weight_g", gain);
    byName.put("weight_v", weight(weighted));
    if (weighted instanceof Dense dense && dense.bias() != null) {
      byName.put("bias", dense.bias());
    }
    return byName;
  }

  @Override
  public long multiplyAdds(Shape in, Shape out) {
    return weighted.multiplyAdds(in, out);
  }

  @Override
  public String toString() {
    return "WeightNorm of " + weighted;
  }
}
