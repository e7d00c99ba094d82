package fathom.nn;

import fathom.DType;
import fathom.Layer;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;

/// Averages over all pixels: N×C×H×W to N×C. For bfloat16 images the result is in float32, because
/// a mean of many numbers is more precise than each of them, and the classifier behind it decides
/// by these means.
public record GlobalAveragePool() implements Layer {
  @Override
  public Traced forward(Tensor x) {
    Shape s = x.shape();
    DType type = x.type();
    return new Traced(
        predict(x),
        dy -> {
          try (var scope = Scope.open()) {
            double pixels = s.size(2) * s.size(3);
            Tensor each = dy.times(1 / pixels).to(type).reshape(s.size(0), s.size(1), 1, 1);
            return scope.keep(each.expand(s).channelsLast());
          }
        });
  }

  @Override
  public Shape shape(Shape x) {
    if (x.rank() != 4) {
      throw new IllegalArgumentException("a pool needs images, N×C×H×W, but was given " + x);
    }
    return Shape.of(x.size(0), x.size(1));
  }

  @Override
  public Tensor predict(Tensor x) {
    Shape y = shape(x.shape());
    try (var scope = Scope.open()) {
      Tensor wide = InFloat32.takes(x) ? x.to(DType.FLOAT32) : x;
      return scope.keep(wide.mean(2, 3).reshape(y.toArray()));
    }
  }

  @Override
  public String toString() {
    return "GlobalAveragePool";
  }
}
