package fathom.kernel;

import fathom.kernel.BatchNormKernel.Rectified;
import org.jspecify.annotations.Nullable;

/// [BatchNormKernel] as loops over memory, for tensors on the processor: [ScalarBatchNorm] is the
/// specification, [VectorBatchNorm] the fast one. Operands of another size or type than `x` are an
/// `IllegalArgumentException`.
interface BatchNormLoops {
  /// Adds Σx of each channel c to `sums[c]` and Σx² to `sums[channels + c]`.
  void moments(Rows x, double[] sums);

  /// `y = (x − mean)·scale + shift + addend`, then max(·, 0) if `rectify`.
  void normalize(
      Rows x,
      double[] mean,
      double[] scale,
      double[] shift,
      @Nullable Rows addend,
      boolean rectify,
      Rows y);

  /// Adds Σg of each channel c to `sums[c]` and Σg·(x − mean) to `sums[channels + c]`. Without
  /// `rectified`, g is `dy`.
  void momentsBack(Rows dy, Rows x, double[] mean, @Nullable Rectified rectified, double[] sums);

  /// The same where there was an addend: g is `dy` where the forward value `y` is above 0, and is
  /// written into `g`, for it is the cotangent of the addend too.
  void momentsBack(Rows dy, Rows y, Rows x, double[] mean, Rows g, double[] sums);

  /// `dx = g·a + (x − mean)·b + c`. Without `rectified`, g is `dy`.
  void normalizeBack(
      Rows dy,
      Rows x,
      double[] mean,
      @Nullable Rectified rectified,
      double[] a,
      double[] b,
      double[] c,
      Rows dx);
}
