package fathom.kernel;

import fathom.Tensor;
import org.jspecify.annotations.Nullable;

/// Batch norm over rows (Ioffe and Szegedy 2015), fused with what follows it in a residual net: the
/// addition of the shortcut and the rectifier. Statistics are per channel, over all rows, in double
/// precision. The kernel sums the rows of its own tensor only; between the two passes of each
/// direction the caller adds up the sums of all workers.
///
/// With mean μ, standard deviation σ = √(variance + ε), gain γ and bias β per channel:
///
/// - forward: `y = [(x − μ)·γ/σ + β + addend]`, where `[·]` is max(·, 0) or the identity;
/// - backward, for n rows, with `g = dy` where the rectifier's argument is above 0 and `g = 0`
///   elsewhere: `dx = γ/σ · (g − Σg/n − (x − μ)/σ² · Σg·(x − μ)/n)`, `daddend = g`, `dβ = Σg`, `dγ
///   = Σg·(x − μ)/σ`.
///
/// There are three forms, between which [Kernels] chooses: [ScalarBatchNorm] is the specification,
/// [VectorBatchNorm] is the fast one, and [TorchBatchNorm] uses libtorch's operations. The channels
/// of a tensor are its dimension 1 and lie innermost in memory: the shape is N×C, or N×C×H×W in
/// channels-last memory. Each result has the memory layout of its argument.
public interface BatchNormKernel {
  /// Adds Σx of each channel c to `sums[c]` and Σx² to `sums[channels + c]`.
  void moments(Tensor x, double[] sums);

  /// Returns `y = (x − mean)·scale + shift + addend`, then max(·, 0) if `rectify`. A null `addend`
  /// counts as 0.
  Tensor normalize(
      Tensor x,
      double[] mean,
      double[] scale,
      double[] shift,
      @Nullable Tensor addend,
      boolean rectify);

  /// The normalization before a rectifier: the rectifier passes `(x − mean)·scale + shift` on where
  /// it is above 0. The backward pass computes this expression again, exactly as the forward pass
  /// did, because it reads `x` anyway, while keeping the rectified activations would cost the
  /// memory of one more tensor.
  record Rectified(double[] scale, double[] shift) {}

  /// Adds Σg of each channel c to `sums[c]` and Σg·(x − mean) to `sums[channels + c]`. Here g is
  /// `dy` where the rectifier's argument is above 0 and 0 elsewhere; if `rectified` is null, g is
  /// `dy`.
  void momentsBack(
      Tensor dy, Tensor x, double[] mean, @Nullable Rectified rectified, double[] sums);

  /// Adds the same two sums for a forward pass that had an addend and a rectifier: g is `dy` where
  /// the activation `y` is above 0 and 0 elsewhere. Returns g, which is also the cotangent of the
  /// addend.
  Tensor momentsBack(Tensor dy, Tensor y, Tensor x, double[] mean, double[] sums);

  /// Returns `dx = g·a + (x − mean)·b + c`, with g as in [#momentsBack]. If `rectified` is null, g
  /// is `dy`.
  Tensor normalizeBack(
      Tensor dy,
      Tensor x,
      double[] mean,
      @Nullable Rectified rectified,
      double[] a,
      double[] b,
      double[] c);
}
