package fathom.nn;

import fathom.Layer;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;

/// The mean over all pixels: N×C×H×W to N×C.
public record GlobalAveragePool() implements Layer {
  @Override
  public Traced forward(Tensor x) {
    Shape s = x.shape();
    return new Traced(
        predict(x),
        dy -> {
          try (var scope = Scope.open()) {
            double pixels = s.size(2) * s.size(3);
            Tensor each = dy.times(1 / pixels).reshape(s.size(0), s.size(1), 1, 1);
            return scope.keep(each.expand(s).channelsLast());
          }
        });
  }

  @Override
  public Tensor predict(Tensor x) {
    if (x.shape().rank() != 4) {
      throw new IllegalArgumentException(
          "a pool needs pictures, N×C×H×W, but was given " + x.shape());
    }
    try (var scope = Scope.open()) {
      return scope.keep(x.mean(2, 3).reshape(x.shape().size(0), x.shape().size(1)));
    }
  }

  @Override
  public String toString() {
    return "GlobalAveragePool";
  }
}
