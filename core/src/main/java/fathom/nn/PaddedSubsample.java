package fathom.nn;

import fathom.Layer;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;

/// The parameter-free shortcut, option A (He et al. 2016, section 3.3). It takes every `stride`-th
/// pixel and adds channels of zeros in equal numbers before and behind the existing ones. With it,
/// a residual net has exactly the parameters of its plain twin.
///
/// @param in the channels of the input
/// @param out the channels of the output
public record PaddedSubsample(int stride, int in, int out) implements Layer {
  /// Throws `IllegalArgumentException` if the stride or `in` is less than 1, or `out` is less than
  /// `in`.
  public PaddedSubsample {
    if (stride < 1 || in < 1 || out < in) {
      throw new IllegalArgumentException(
          "a parameter-free shortcut adds channels, but was to go from %s to %s at stride %s"
              .formatted(in, out, stride));
    }
  }

  @Override
  public Traced forward(Tensor x) {
    Shape s = x.shape();
    return new Traced(
        predict(x),
        dy -> {
          try (var scope = Scope.open()) {
            Tensor dx = Tensor.emptyImages(dy.type(), s.size(0), in, s.size(2), s.size(3)).zero_();
            dx.every(stride).copy_(dy.narrow(1, before(), before() + in));
            return scope.keep(dx);
          }
        });
  }

  @Override
  public Shape shape(Shape x) {
    if (x.rank() != 4 || x.size(1) != in) {
      throw new IllegalArgumentException(
          "%s needs N×%s×H×W, but was given %s".formatted(this, in, x));
    }
    return Shape.of(x.size(0), out, ceil(x.size(2), stride), ceil(x.size(3), stride));
  }

  @Override
  public Tensor predict(Tensor x) {
    Shape whole = shape(x.shape());
    try (var scope = Scope.open()) {
      Tensor y =
          Tensor.emptyImages(x.type(), whole.size(0), whole.size(1), whole.size(2), whole.size(3))
              .zero_();
      y.narrow(1, before(), before() + in).copy_(x.every(stride));
      return scope.keep(y);
    }
  }

  private int before() {
    return (out - in) / 2;
  }

  private static long ceil(long n, int by) {
    return (n + by - 1) / by;
  }

  @Override
  public String toString() {
    return "PaddedSubsample %s→%s, stride %s".formatted(in, out, stride);
  }
}
