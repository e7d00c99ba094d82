package fathom.nn;

import fathom.DType;
import fathom.PackedConvolution;
import fathom.Shape;
import fathom.Tensor;
import fathom.kernel.TiledFilters;

/// A convolution whose weight is stored in the order in which the kernel reads it.
interface ReadyConvolution {
  /// Whether the stored order suits images of this shape.
  boolean isFor(Shape images);

  /// Returns w∗x + b, with ReLU if `rectified`.
  Tensor apply(Tensor x, boolean rectified);

  /// Computes `sum = f(sum + w∗x + b)` in place, where f is ReLU if `rectified` and else the
  /// identity. `sum` must be in channels-last memory.
  void addTo_(Tensor sum, Tensor x, boolean rectified);

  /// A convolution by libtorch, on all cores that its operations may use.
  record Packed(PackedConvolution convolution) implements ReadyConvolution {
    /// For images of another shape, libtorch would reorder the weight at every call.
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

  /// A convolution by tiles, on one core.
  record Tiled(Conv2d plain, TiledFilters filters) implements ReadyConvolution {
    /// Tiles suit images of any number and size for which they are the faster method.
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
