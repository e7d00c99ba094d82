package fathom.nn;

import fathom.DType;
import fathom.Layer;
import fathom.Shape;
import fathom.Tensor;
import fathom.Torch;
import fathom.Traced;

/// Repeats every pixel of N×C×H×W images `factor` times in each direction: y[n,c,i,j] =
/// x[n,c,⌊i/f⌋,⌊j/f⌋]. In the backward pass, the cotangent of a pixel is the sum of the cotangents
/// of its f² copies.
public record Upsample2d(int factor) implements Layer {
  /// Throws `IllegalArgumentException` if the factor is less than 1.
  public Upsample2d {
    if (factor < 1) {
      throw new IllegalArgumentException(
          "images are enlarged by a whole factor of at least 1, but it is " + factor);
    }
  }

  @Override
  public Traced forward(Tensor x) {
    Shape of = x.shape();
    return new Traced(predict(x), dy -> Torch.upsampleBackward(dy, of, factor));
  }

  @Override
  public Tensor predict(Tensor x) {
    check(x.shape());
    if (x.type() == DType.INT64) {
      throw new IllegalArgumentException(
          "%s needs floating-point images, but was given %s".formatted(this, x));
    }
    return Torch.upsample(x, factor);
  }

  @Override
  public Shape shape(Shape x) {
    check(x);
    return Shape.of(x.size(0), x.size(1), x.size(2) * factor, x.size(3) * factor);
  }

  private void check(Shape x) {
    if (x.rank() != 4 || x.size(1) < 1 || x.size(2) < 1 || x.size(3) < 1) {
      throw new IllegalArgumentException(
          "%s needs images, N×C×H×W with at least one channel, row and column, but was given %s"
              .formatted(this, x));
    }
  }

  @Override
  public String toString() {
    return "Upsample2d by " + factor;
  }
}
