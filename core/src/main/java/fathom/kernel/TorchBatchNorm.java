package fathom.kernel;

import fathom.DType;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Torch;
import fathom.TorchNorms;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Batch norm as libtorch's operations. Bfloat16 is computed in float32. The sums run in float64
/// over differences from the first row, so that a large mean does not swallow a small standard
/// deviation.
final class TorchBatchNorm implements BatchNormKernel {
  @Override
  public void moments(Tensor x, double[] sums) {
    Shape shape = x.shape();
    int channels = Math.toIntExact(shape.size(1));
    if (shape.elements() == 0) {
      return;
    }
    try (var _ = Scope.open()) {
      Tensor wide = wide(x);
      Tensor first = first(wide);
      Tensor d = wide.minus(first);
      double[] f = first.toDoubles();
      double[] s = sums(d);
      double[] q = sums(d.square());
      if (!finite(q) && x.type() != DType.FLOAT64) { // float32 cannot hold these squares
        Tensor exact = x.to(DType.FLOAT64);
        add(new double[channels], sums(exact), sums(exact.square()), 0, sums);
        return;
      }
      add(f, s, q, (double) shape.elements() / channels, sums);
    }
  }

  /// Adds the sums of n rows, computed from the sums s and q of their differences from f.
  private static void add(double[] f, double[] s, double[] q, double n, double[] sums) {
    int channels = f.length;
    for (int c = 0; c < channels; c++) {
      sums[c] += n * f[c] + s[c];
      sums[channels + c] += q[c] + 2 * f[c] * s[c] + n * f[c] * f[c];
    }
  }

  private static boolean finite(double[] values) {
    for (double v : values) {
      if (!Double.isFinite(v)) {
        return false;
      }
    }
    return true;
  }

  @Override
  public Tensor normalize(
      Tensor x,
      double[] mean,
      double[] scale,
      double[] shift,
      @Nullable Tensor addend,
      boolean rectify) {
    check(x, addend);
    try (var scope = Scope.open()) {
      Tensor wide = wide(x);
      Tensor y = normalized(wide, mean, scale, shift);
      if (addend != null) {
        y.add_(wide(addend));
      }
      return scope.keep((rectify ? y.relu_() : y).to(x.type()));
    }
  }

  /// Computes (x − mean)·scale + shift.
  private static Tensor normalized(Tensor x, double[] mean, double[] scale, double[] shift) {
    return TorchNorms.affine(
        centred(x, mean), per(x, scale), per(x, corrected(x, shift, mean, scale)));
  }

  private static Tensor centred(Tensor x, double[] mean) {
    return x.minus(per(x, mean));
  }

  /// The constant of `(x − mean)·factor + constant`, corrected for the rounding of the mean to
  /// float32.
  private static double[] corrected(Tensor x, double[] constant, double[] mean, double[] factor) {
    double[] result = constant.clone();
    for (int c = 0; c < result.length && x.type() == DType.FLOAT32; c++) {
      result[c] += ((float) mean[c] - mean[c]) * factor[c];
    }
    return result;
  }

  @Override
  public void momentsBack(
      Tensor dy, Tensor x, double[] mean, @Nullable Rectified rectified, double[] sums) {
    check(x, dy);
    try (var _ = Scope.open()) {
      Tensor wide = wide(x);
      add(passed(wide(dy), wide, mean, rectified), wide, mean, sums);
    }
  }

  @Override
  public Tensor momentsBack(Tensor dy, Tensor y, Tensor x, double[] mean, double[] sums) {
    check(x, dy);
    check(x, y);
    try (var scope = Scope.open()) {
      Tensor g = Torch.reluBackward(wide(dy), wide(y));
      add(g, wide(x), mean, sums);
      return scope.keep(g.to(x.type()));
    }
  }

  /// `dy` where the rectifier's argument is above 0, and 0 elsewhere.
  private static Tensor passed(Tensor dy, Tensor x, double[] mean, @Nullable Rectified rectified) {
    return rectified == null
        ? dy
        : Torch.reluBackward(dy, normalized(x, mean, rectified.scale(), rectified.shift()));
  }

  private static void add(Tensor g, Tensor x, double[] mean, double[] sums) {
    double[] s = sums(g);
    double[] q = sums(g.times(centred(x, mean)));
    int channels = s.length;
    for (int c = 0; c < channels; c++) {
      double lost = x.type() == DType.FLOAT32 ? (float) mean[c] - mean[c] : 0;
      sums[c] += s[c];
      sums[channels + c] += q[c] + lost * s[c];
    }
  }

  @Override
  public Tensor normalizeBack(
      Tensor dy,
      Tensor x,
      double[] mean,
      @Nullable Rectified rectified,
      double[] a,
      double[] b,
      double[] c) {
    check(x, dy);
    try (var scope = Scope.open()) {
      Tensor wide = wide(x);
      Tensor g = passed(wide(dy), wide, mean, rectified);
      Tensor rest = normalized(wide, mean, b, c);
      return scope.keep(TorchNorms.affine(g, per(wide, a), rest).to(x.type()));
    }
  }

  /// The sums of each channel, in float64.
  private static double[] sums(Tensor t) {
    return TorchNorms.sumInDoubles(t, others(t.shape())).toDoubles();
  }

  /// x in the type that the operations use: float32 instead of bfloat16.
  private static Tensor wide(Tensor x) {
    return x.type() == DType.BFLOAT16 ? x.to(DType.FLOAT32) : x;
  }

  private static Tensor first(Tensor x) {
    Tensor first = x.narrow(0, 0, 1);
    return x.shape().rank() == 2 ? first : first.narrow(2, 0, 1).narrow(3, 0, 1);
  }

  private static long[] others(Shape shape) {
    return shape.rank() == 2 ? new long[] {0} : new long[] {0, 2, 3};
  }

  /// A tensor of one number per channel, in a shape that broadcasts over x.
  private static Tensor per(Tensor x, double[] channels) {
    long[] shape = new long[x.shape().rank()];
    Arrays.fill(shape, 1);
    shape[1] = channels.length;
    return x.zerosOf(shape).copy_(Tensor.of(channels, shape));
  }

  private static void check(Tensor x, @Nullable Tensor other) {
    if (other != null && (!x.shape().equals(other.shape()) || x.type() != other.type())) {
      throw new IllegalArgumentException(
          "the operands of a kernel have one size and type, but these are %s and %s"
              .formatted(x, other));
    }
  }
}
