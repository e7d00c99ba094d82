package fathom.kernel;

import fathom.Tensor;
import org.jspecify.annotations.Nullable;

/// Batch norm over rows, fused with what follows it in a residual net: the addition of the shortcut
/// and the rectifier. Statistics are per channel, over all rows, in double precision; the kernel
/// sums its own rows, and the caller adds up the sums of all workers between the two passes of each
/// direction.
///
/// With mean μ, standard deviation σ = √(variance + ε), gain γ and bias β per channel:
///
/// - forward: `y = [(x − μ)·γ/σ + β + addend]`, where `[·]` is max(·, 0) or nothing;
/// - backward, with `g = dy` where the rectifier let the value through and 0 elsewhere, and n rows:
///   `dx = γ/σ · (g − Σg/n − (x − μ)/σ² · Σg·(x − μ)/n)`, `daddend = g`, `dβ = Σg`, `dγ = Σg·(x −
///   μ)/σ`.
///
/// There are three forms, between which [Kernels] chooses: [ScalarBatchNorm] is the specification,
/// [VectorBatchNorm] the fast one, [TorchBatchNorm] that of libtorch's operations. The channels of
/// a tensor are its dimension 1, innermost in memory: N×C, or N×C×H×W in channels-last memory.
/// Results lie as their argument does.
public interface BatchNormKernel {
  /// Adds Σx of each channel c to `sums[c]` and Σx² to `sums[channels + c]`.
  void moments(Tensor x, double[] sums);

  /// `y = (x − mean)·scale + shift + addend`, then max(·, 0) if `rectify`.
  Tensor normalize(
      Tensor x,
      double[] mean,
      double[] scale,
      double[] shift,
      @Nullable Tensor addend,
      boolean rectify);

  /// The normalization that a rectifier was behind: it let `(x − mean)·scale + shift` through where
  /// that is above 0. The way back computes it again, exactly as the way forward did, because `x`
  /// is read anyway and the rectified value would be one tensor more.
  record Rectified(double[] scale, double[] shift) {}

  /// Adds Σg of each channel c to `sums[c]` and Σg·(x − mean) to `sums[channels + c]`. Without
  /// `rectified`, g is `dy`.
  void momentsBack(
      Tensor dy, Tensor x, double[] mean, @Nullable Rectified rectified, double[] sums);

  /// The same where there was an addend: g is `dy` where the forward value `y` is above 0, and is
  /// returned, for it is the cotangent of the addend too.
  Tensor momentsBack(Tensor dy, Tensor y, Tensor x, double[] mean, double[] sums);

  /// `dx = g·a + (x − mean)·b + c`. Without `rectified`, g is `dy`.
  Tensor normalizeBack(
      Tensor dy,
      Tensor x,
      double[] mean,
      @Nullable Rectified rectified,
      double[] a,
      double[] b,
      double[] c);
}
