package fathom.lab.cards;

import fathom.Layer;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;
import java.util.List;

/// Appends two units that are always 0 and 1: N×F to N×(F+2). Behind a norm they tell where the
/// norm moved 0 and 1, and from that the mean and the standard deviation can be computed: σ = 1 /
/// (z₁ − z₀), μ = −z₀·σ.
record References() implements Layer {
  @Override
  public Traced forward(Tensor x) {
    long features = x.shape().size(1);
    return new Traced(
        predict(x),
        dy -> {
          try (var scope = Scope.open()) {
            return scope.keep(dy.narrow(1, 0, features).contiguous());
          }
        });
  }

  @Override
  public Tensor predict(Tensor x) {
    try (var scope = Scope.open()) {
      Tensor zero = Tensor.zeros(x.type(), x.shape().size(0), 1);
      return scope.keep(Tensor.concatenated(1, List.of(x, zero, zero.plus(1))));
    }
  }

  @Override
  public Shape shape(Shape x) {
    return Shape.of(x.size(0), x.size(1) + 2);
  }

  @Override
  public String toString() {
    return "References";
  }
}
