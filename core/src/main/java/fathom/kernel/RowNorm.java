package fathom.kernel;

import fathom.DType;
import fathom.Tensor;
import org.jspecify.annotations.Nullable;

/// Normalization of each row for itself: layer norm and RMS norm, alone or after an addition.
///
/// With mean μ and standard deviation σ = √(variance + ε) of one row, gain γ and bias β for each of
/// its elements, x̂ = (s − μ)/σ, w = dy·γ and `mean` over the row:
///
/// - forward: `y = x̂·γ + β` for `s = x` or `s = x + addend` (Ba et al. 2016, eq. 3);
/// - backward: `ds = (w − mean(w) − x̂·mean(w·x̂))/σ + dsum`, `dγ = Σ dy·x̂` and `dβ = Σ dy` over
///   the rows.
///
/// RMS norm (Zhang and Sennrich 2019, eq. 4) does not centre: μ = 0, `variance = mean(s²)`, and the
/// term mean(w) is missing. A row whose variance and ε are zero is normalised to β; one that holds
/// no number somewhere, to NaN.
///
/// There are three forms, between which [Kernels] chooses: [ScalarRowNorm] is the specification,
/// [VectorRowNorm] the fast one, [TorchRowNorm] that of libtorch's operations. A tensor is taken
/// row by row as its elements lie in memory, `width` to a row: row-major, or images with their
/// channels innermost. Results lie as their argument does.
public interface RowNorm {
  /// What belongs to the layer.
  ///
  /// @param width the elements of a row
  /// @param gain γ, `width` elements in the order and the type of a row, or null for 1
  /// @param bias β, likewise, or null for 0
  /// @param epsilon ε
  /// @param centred whether the mean is taken off
  record Form(
      int width, @Nullable Tensor gain, @Nullable Tensor bias, double epsilon, boolean centred) {
    public Form {
      if (width < 1) {
        throw new IllegalArgumentException(
            "a norm is over at least one element, but the rows have " + width);
      }
      for (Tensor perElement : new @Nullable Tensor[] {gain, bias}) {
        if (perElement != null && perElement.shape().elements() != width) {
          throw new IllegalArgumentException(
              "gains and biases have an element for each of a row's %s, but one is %s"
                  .formatted(width, perElement));
        }
      }
    }
  }

  /// The way forward.
  ///
  /// @param value y
  /// @param s what was normalised: the argument, or its sum with the addend
  /// @param statistics μ and 1/σ of each row: count×2 in float64
  record Normed(Tensor value, Tensor s, Tensor statistics) {}

  /// The way back.
  ///
  /// @param dx the cotangent of s, so of the argument and of the addend alike
  /// @param dgain dγ in the order of a row, or null where there is no gain; in float64, or in the
  ///   type of the argument
  /// @param dbias dβ likewise
  record Cotangents(Tensor dx, @Nullable Tensor dgain, @Nullable Tensor dbias) {}

  /// Throws `IllegalArgumentException` if the operands have not one size and type.
  Normed forward(Form form, Tensor x, @Nullable Tensor addend);

  /// The value alone, for prediction.
  Tensor predict(Form form, Tensor x, @Nullable Tensor addend);

  /// From the cotangent of the value, and that of s from elsewhere where s is used twice.
  Cotangents backward(Form form, Tensor dy, Normed normed, @Nullable Tensor dsum);

  /// 1/√v; 0 for 0, since a row of equal elements is normalised to zeros, and NaN for what is no
  /// variance.
  static double reciprocal(double v) {
    return v == 0 ? 0 : Double.isFinite(v) ? 1 / Math.sqrt(v) : Double.NaN;
  }

  /// How many rows these are. Throws `IllegalArgumentException` if the elements of a row, the rows'
  /// or the layer's, do not fit together.
  static long count(Form form, Tensor x, @Nullable Tensor... others) {
    for (Tensor other : others) {
      if (other != null && (!other.shape().equals(x.shape()) || other.type() != x.type())) {
        throw new IllegalArgumentException(
            "the operands of a norm have one size and type, but these are %s and %s"
                .formatted(x, other));
      }
    }
    for (Tensor perElement : new @Nullable Tensor[] {form.gain(), form.bias()}) {
      if (perElement != null && perElement.type() != x.type()) {
        throw new IllegalArgumentException(
            "gains and biases have the type of the rows, but these are %s and %s"
                .formatted(x, perElement));
      }
    }
    if (x.type() != DType.FLOAT32 && x.type() != DType.FLOAT64) {
      throw new IllegalArgumentException(
          "a norm of rows runs in FLOAT32 or FLOAT64, but was given " + x);
    }
    long elements = x.shape().elements();
    if (elements % form.width() != 0) {
      throw new IllegalArgumentException(
          "the rows of %s have %s elements each, which do not divide it"
              .formatted(x, form.width()));
    }
    return elements / form.width();
  }
}
