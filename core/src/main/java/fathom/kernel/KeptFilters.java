package fathom.kernel;

import fathom.Shape;
import fathom.Tensor;

/// A convolution w∗x + b for many predictions with the same weight, which is kept in the order in
/// which the kernel reads it. The free cores ([fathom.parallel.Cores]) share the work, which does
/// not change a bit of the result.
public sealed interface KeptFilters permits PatchFilters, TiledFilters {
  /// Whether this way suits images of this shape, N×C×H×W.
  boolean isFor(Shape images);

  /// Returns w∗x + b for images x, N×C×H×W in channels-last memory, through the rectifier if
  /// `rectified`.
  Tensor apply(Tensor x, boolean rectified);

  /// Computes `sum = f(sum + w∗x + b)` in place, where f is the rectifier if `rectified` and else
  /// the identity. `sum` is in channels-last memory.
  void addTo_(Tensor sum, Tensor x, boolean rectified);
}
