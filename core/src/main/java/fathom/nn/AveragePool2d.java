package fathom.nn;

import fathom.Layer;
import fathom.Shape;
import fathom.Tensor;
import fathom.TorchPools;
import fathom.Traced;

/// The mean of each size×size window of N×C×H×W images. Windows lie side by side, and one at the
/// right or lower edge that does not fit is the mean of the pixels that it has, so that a side of H
/// pixels becomes ⌈H/size⌉.
public record AveragePool2d(int size) implements Layer {
  /// Throws `IllegalArgumentException` if the size is below 1.
  public AveragePool2d {
    if (size < 1) {
      throw new IllegalArgumentException(
          "a pool is over windows of at least 1×1 pixels, but its size is " + size);
    }
  }

  @Override
  public Traced forward(Tensor x) {
    return new Traced(predict(x), dy -> TorchPools.averageBackward(dy, x, size));
  }

  @Override
  public Shape shape(Shape x) {
    if (x.rank() != 4 || Math.min(x.size(1), Math.min(x.size(2), x.size(3))) < 1) {
      throw new IllegalArgumentException(
          "%s needs N×C×H×W with C, H and W of at least 1, but was given %s".formatted(this, x));
    }
    return Shape.of(
        x.size(0), x.size(1), Math.ceilDiv(x.size(2), size), Math.ceilDiv(x.size(3), size));
  }

  @Override
  public Tensor predict(Tensor x) {
    shape(x.shape());
    return TorchPools.average(x, size);
  }

  @Override
  public String toString() {
    return "AveragePool2d %s×%s".formatted(size, size);
  }
}
