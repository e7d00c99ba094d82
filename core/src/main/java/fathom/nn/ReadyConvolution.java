package fathom.nn;

import fathom.PackedConvolution;
import fathom.Shape;
import fathom.Tensor;
import fathom.Torch;
import fathom.kernel.KeptFilters;
import fathom.kernel.Kernels;
import fathom.kernel.PatchFilters;
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

  /// Returns the convolution `plain` with this weight and bias in the order that is the fastest for
  /// images of this shape on the cores that this thread has.
  static ReadyConvolution of(Conv2d plain, Tensor weight, Tensor bias, Shape images) {
    return Torch.threads() == 1 && plain.inKeptTiles(images, weight.type())
        ? new Kept(TiledFilters.of(weight, bias))
        : of(weight, bias, plain.stride(), plain.padding(), images);
  }

  /// Returns the same of any convolution, without tiles.
  static ReadyConvolution of(Tensor weight, Tensor bias, int stride, int padding, Shape images) {
    return Torch.threads() == 1 && Kernels.inSharedPatches(weight.type())
        ? new Kept(PatchFilters.of(weight, bias, stride, padding))
        : new Packed(PackedConvolution.of(weight, bias, images, stride, padding));
  }

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

  /// A convolution by a kernel, which the free cores share.
  record Kept(KeptFilters filters) implements ReadyConvolution {
    @Override
    public boolean isFor(Shape images) {
      return filters.isFor(images);
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
