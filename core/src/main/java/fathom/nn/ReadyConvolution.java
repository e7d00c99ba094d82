package fathom.nn;

import fathom.DType;
import fathom.PackedConvolution;
import fathom.Shape;
import fathom.Tensor;
import fathom.kernel.TiledFilters;

/// A convolution with its weight in the order in which it is multiplied.
interface ReadyConvolution {
  /// Whether it is for such images.
  boolean isFor(Shape images);

  /// w∗x + b, rectified or not.
  Tensor apply(Tensor x, boolean rectified);

  /// `sum = f(sum + w∗x + b)`, with f the rectifier or nothing. `sum` is in channels-last memory.
  void addTo_(Tensor sum, Tensor x, boolean rectified);

  /// By libtorch, on all the cores that its operations may use.
  record Packed(PackedConvolution convolution) implements ReadyConvolution {
    /// Other images would have it put into another order at every call.
    @Override
    public boolean isFor(Shape images) {
      return convolution.images().equals(images);
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
  record Tiled(Conv2d plain, TiledFilters filters) implements ReadyConvolution {
    /// Of any number and size for which tiles are the faster way.
    @Override
    public boolean isFor(Shape images) {
      return plain.inKeptTiles(images, DType.FLOAT32);
    }

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
