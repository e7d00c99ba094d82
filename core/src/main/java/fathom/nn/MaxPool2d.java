package fathom.nn;

import fathom.Layer;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Torch;
import fathom.Traced;

/// The maximum of each size×size window of N×C×H×W images. Windows start every `stride` pixels, and
/// `padding` pixels around the image never are the maximum.
public record MaxPool2d(int size, int stride, int padding) implements Layer {
  /// Throws `IllegalArgumentException` unless size and stride are at least 1 and the padding is
  /// from 0 to half the size.
  public MaxPool2d {
    if (size < 1 || stride < 1 || padding < 0 || 2 * padding > size) {
      throw new IllegalArgumentException(
          "a pool needs size and stride of at least 1 and a padding of at most half the size, but has size %s, stride %s, padding %s"
              .formatted(size, stride, padding));
    }
  }

  @Override
  public Traced forward(Tensor x) {
    check(x.shape());
    var pooled = Torch.maxPool(x, size, stride, padding);
    return new Traced(
        pooled.value(),
        dy -> Torch.maxPoolBackward(dy, x, pooled.indices(), size, stride, padding));
  }

  @Override
  public Shape shape(Shape x) {
    check(x);
    return Shape.of(x.size(0), x.size(1), steps(x.size(2)), steps(x.size(3)));
  }

  /// Returns the number of positions of the window along a side.
  private long steps(long side) {
    return (side + 2L * padding - size) / stride + 1;
  }

  @Override
  public Tensor predict(Tensor x) {
    check(x.shape());
    try (var scope = Scope.open()) {
      return scope.keep(Torch.maxPool(x, size, stride, padding).value());
    }
  }

  private void check(Shape x) {
    if (x.rank() != 4 || x.size(1) < 1 || Math.min(x.size(2), x.size(3)) + 2L * padding < size) {
      throw new IllegalArgumentException(
          "%s needs N×C×H×W with H and W of at least %s, but was given %s"
              .formatted(this, size - 2 * padding, x));
    }
  }

  @Override
  public String toString() {
    return "MaxPool2d %s×%s, stride %s".formatted(size, size, stride);
  }
}
