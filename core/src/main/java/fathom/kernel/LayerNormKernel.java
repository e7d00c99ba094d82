package fathom.kernel;

import fathom.DType;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// Layer norm and RMS norm over rows, alone or after an addition.
///
/// With mean μ and deviation σ = √(variance + ε) of one row, gain γ and bias β for each of its
/// elements, x̂ = (s − μ)/σ, w = dy·γ and `mean` over the row:
///
/// - forward: `y = x̂·γ + β` for `s = x` or `s = x + addend` (Ba et al. 2016, eq. 3);
/// - backward: `ds = (w − mean(w) − x̂·mean(w·x̂))/σ + dsum`, `dγ = Σ dy·x̂` and `dβ = Σ dy` over
///   the rows.
///
/// RMS norm (Zhang and Sennrich 2019, eq. 4) does not centre: μ = 0, `variance = mean(s²)`, and the
/// term mean(w) is missing. A row whose variance and ε are zero is normalised to β; one that holds
/// no number somewhere, to NaN.
///
/// The loops are divided over the cores outside a worker ([fathom.Cores]).
public interface LayerNormKernel {
  /// What belongs to the layer.
  ///
  /// @param gain γ, an element for each of a row's of their type, or null for 1
  /// @param bias β, likewise, or null for 0
  /// @param epsilon ε
  /// @param centred whether the mean is taken off
  record Form(
      @Nullable MemorySegment gain,
      @Nullable MemorySegment bias,
      double epsilon,
      boolean centred) {}

  /// Writes `y`, and for the way back `s` into `sum` and μ and 1/σ of each row into `statistics`,
  /// which are 2·count float64.
  ///
  /// @param sum needed only for the way back from an addition; `y` will do for it where none comes
  void forward(
      Form form,
      Rows x,
      @Nullable Rows addend,
      @Nullable Rows sum,
      Rows y,
      @Nullable MemorySegment statistics);

  /// Writes `dx`, the cotangent of s (of the addend, too), and adds to `dgain` and `dbias`, an
  /// element for each of a row's.
  ///
  /// @param s what was normalised: `x`, or the sum
  /// @param dsum the cotangent of s from elsewhere, where s is used twice
  void backward(
      Form form,
      Rows dy,
      Rows s,
      MemorySegment statistics,
      @Nullable Rows dsum,
      Rows dx,
      double @Nullable [] dgain,
      double @Nullable [] dbias);

  /// 1/√v; 0 for 0, since a row of equal elements is normalised to zeros, and NaN for what is no
  /// variance.
  static double reciprocal(double v) {
    return v == 0 ? 0 : Double.isFinite(v) ? 1 / Math.sqrt(v) : Double.NaN;
  }

  /// Throws `IllegalArgumentException` if the elements of a row, the rows' or the layer's, do not
  /// fit together.
  static void check(
      Form form,
      Rows x,
      @Nullable Rows[] others,
      @Nullable MemorySegment statistics,
      double @Nullable [] dgain,
      double @Nullable [] dbias) {
    if (x.channels() == 0) {
      throw new IllegalArgumentException(
          "a norm is over at least one element, but the rows are empty");
    }
    for (Rows other : others) {
      x.checkLike(other);
    }
    long bytes = (long) x.channels() * x.type().bytes();
    check("gain", bytes, form.gain() == null ? bytes : form.gain().byteSize());
    check("bias", bytes, form.bias() == null ? bytes : form.bias().byteSize());
    long numbers = 2 * x.count() * DType.FLOAT64.bytes();
    check("statistics", numbers, statistics == null ? numbers : statistics.byteSize());
    long sums = 8L * x.channels();
    check("dgain", sums, dgain == null ? sums : 8L * dgain.length);
    check("dbias", sums, dbias == null ? sums : 8L * dbias.length);
  }

  private static void check(String what, long expected, long actual) {
    if (expected != actual) {
      throw new IllegalArgumentException(
          "the %s of these rows has %s bytes, but was given with %s"
              .formatted(what, expected, actual));
    }
  }
}
