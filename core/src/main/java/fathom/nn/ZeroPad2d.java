package fathom.nn;

import fathom.Layer;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;

/// Zeros around images: N×C×H×W becomes N×C×(H+2p)×(W+2p) with p = `padding` pixels of zeros on
/// each side. Its derivative is the cotangent without its border.
public record ZeroPad2d(int padding) implements Layer {
  /// Throws `IllegalArgumentException` if the padding is negative.
  public ZeroPad2d {
    if (padding < 0) {
      throw new IllegalArgumentException(
          "a padding is 0 pixels or more, but is %s; to cut pixels off, take a view"
              .formatted(padding));
    }
  }

  @Override
  public Traced forward(Tensor x) {
    return new Traced(
        predict(x),
        dy -> {
          try (var scope = Scope.open()) {
            return scope.keep(inside(dy).plus(0.0)); // a copy: the whole cotangent is freed
          }
        });
  }

  @Override
  public Shape shape(Shape x) {
    if (x.rank() != 4) {
      throw new IllegalArgumentException("%s needs N×C×H×W, but was given %s".formatted(this, x));
    }
    return Shape.of(x.size(0), x.size(1), x.size(2) + 2L * padding, x.size(3) + 2L * padding);
  }

  @Override
  public Tensor predict(Tensor x) {
    Shape whole = shape(x.shape());
    try (var scope = Scope.open()) {
      Tensor y =
          Tensor.emptyImages(x.type(), whole.size(0), whole.size(1), whole.size(2), whole.size(3))
              .zero_();
      inside(y).copy_(x);
      return scope.keep(y);
    }
  }

  private Tensor inside(Tensor whole) {
    Shape s = whole.shape();
    return whole.narrow(2, padding, s.size(2) - padding).narrow(3, padding, s.size(3) - padding);
  }

  @Override
  public String toString() {
    return "ZeroPad2d " + padding;
  }
}
