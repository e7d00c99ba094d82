package fathom.nn;

import fathom.PackedConvolution;
import fathom.Shape;
import fathom.Tensor;
import fathom.kernel.TiledFilters;

/// A convolution with its weight in the order in which it is multiplied, for images of one number
/// and size.
interface ReadyConvolution {
  Shape pictures();

  /// w∗x + b, rectified or not.
  Tensor apply(Tensor x, boolean rectified);

  /// `sum = f(sum + w∗x + b)`, with f the rectifier or nothing. `sum` is in channels-last memory.
  void addTo_(Tensor sum, Tensor x, boolean rectified);

  /// By libtorch, on all the cores that its operations may use.
  record Packed(PackedConvolution convolution) implements ReadyConvolution {
    @Override
    public Shape pictures() {
      return convolution.pictures();
    }

    @Override
    public Tensor apply(Tensor x, boolean rectified) {
      return convolution.apply(x, rectified);
    }

    @Override
    public void addTo_(Tensor sum, Tensor x, boolean rectified) {
      convolution.addTo_(sum, x, rectified);
    }
  }

  /// By tiles, on one core.
  record Tiled(Shape pictures, TiledFilters filters) implements ReadyConvolution {
    @Override
    public Tensor apply(Tensor x, boolean rectified) {
      return filters.apply(x, rectified);
    }

    @Override
    public void addTo_(Tensor sum, Tensor x, boolean rectified) {
      filters.addTo_(sum, x, rectified);
    }
  }
}
