package fathom.kernel;

import fathom.kernel.BatchNormKernel.Rectified;
import org.jspecify.annotations.Nullable;

/// [BatchNormKernel] as loops over memory, for tensors on the processor: [ScalarBatchNorm] is the
/// specification, [VectorBatchNorm] is the fast form. Every method throws
/// `IllegalArgumentException` if an operand has another size or type than `x`.
interface BatchNormLoops {
  /// Adds Σx of each channel c to `sums[c]` and Σx² to `sums[channels + c]`.
  void moments(Rows x, double[] sums);

  /// Writes `y = (x − mean)·scale + shift + addend`, then max(·, 0) if `rectify`.
  void normalize(
      Rows x,
      double[] mean,
      double[] scale,
      double[] shift,
      @Nullable Rows addend,
      boolean rectify,
      Rows y);

  /// Adds Σg of each channel c to `sums[c]` and Σg·(x − mean) to `sums[channels + c]`. Here g is
  /// `dy` where the rectifier's argument is above 0 and 0 elsewhere; if `rectified` is null, g is
  /// `dy`.
  void momentsBack(Rows dy, Rows x, double[] mean, @Nullable Rectified rectified, double[] sums);

  /// Adds the same two sums for a forward pass that had an addend and a rectifier: g is `dy` where
  /// the activation `y` is above 0 and 0 elsewhere. It is written into `g`, because it is also the
  /// cotangent of the addend.
  void momentsBack(Rows dy, Rows y, Rows x, double[] mean, Rows g, double[] sums);

  /// Writes `dx = g·a + (x − mean)·b + c`. If `rectified` is null, g is `dy`.
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
