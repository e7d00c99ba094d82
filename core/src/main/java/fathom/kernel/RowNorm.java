package fathom.kernel;

import fathom.DType;
import fathom.Tensor;
import org.jspecify.annotations.Nullable;

/// Normalization of each row by its own statistics: layer norm and RMS norm, alone or after an
/// addition.
///
/// With mean μ and standard deviation σ = √(variance + ε) of one row, gain γ and bias β for each of
/// its elements, x̂ = (s − μ)/σ, w = dy·γ and `mean` over the row:
///
/// - forward: `y = x̂·γ + β` for `s = x` or `s = x + addend` (Ba et al. 2016, eq. 3);
/// - backward: `ds = (w − mean(w) − x̂·mean(w·x̂))/σ + dsum`, `dγ = Σ dy·x̂` and `dβ = Σ dy` over
///   the rows.
///
/// RMS norm (Zhang and Sennrich 2019, eq. 4) does not centre: μ = 0, `variance = mean(s²)`, and the
/// term mean(w) is missing. A row whose variance and ε are both zero is normalized to β. A row with
/// an element that is NaN or infinite is normalized to NaN.
///
/// There are three forms, between which [Kernels] chooses: [ScalarRowNorm] is the specification,
/// [VectorRowNorm] is the fast one, and [TorchRowNorm] uses libtorch's operations. The rows of a
/// tensor are its elements in the order of memory, `width` to a row; a tensor is row-major, or
/// holds images with their channels innermost. Each result has the memory layout of its argument.
public interface RowNorm {
  /// The parameters and options of a norm layer. The constructor throws `IllegalArgumentException`
  /// if `width` is below 1 or a gain or bias has another number of elements.
  ///
  /// @param width the number of elements of a row
  /// @param gain γ, `width` elements in the order and of the type of a row, or null for 1
  /// @param bias β, `width` elements in the order and of the type of a row, or null for 0
  /// @param epsilon ε
  /// @param centred whether the mean is subtracted: true for layer norm, false for RMS norm
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

  /// The result of the forward pass, with what the backward pass needs.
  ///
  /// @param value y
  /// @param s what was normalized: the argument, or its sum with the addend
  /// @param statistics μ and 1/σ of each row: count×2 in float64
  record Normed(Tensor value, Tensor s, Tensor statistics) {}

  /// The result of the backward pass.
  ///
  /// @param dx the cotangent of s, and therefore of the argument and of the addend alike
  /// @param dgain dγ in the order of a row, or null if there is no gain; in float64, or in the type
  ///   of the argument
  /// @param dbias dβ in the order of a row, or null if there is no bias; of the same type as
  ///   `dgain`
  record Cotangents(Tensor dx, @Nullable Tensor dgain, @Nullable Tensor dbias) {}

  /// Normalizes `x`, or `x + addend` if there is an addend. Throws `IllegalArgumentException` if
  /// the operands differ in shape or type.
  Normed forward(Form form, Tensor x, @Nullable Tensor addend);

  /// Returns only the value y of the forward pass, for predictions. Throws
  /// `IllegalArgumentException` if the operands differ in shape or type.
  Tensor predict(Form form, Tensor x, @Nullable Tensor addend);

  /// Returns the cotangents for `dy`, the cotangent of y. `dsum` is a further cotangent of s, for a
  /// net that also uses s elsewhere, or null.
  Cotangents backward(Form form, Tensor dy, Normed normed, @Nullable Tensor dsum);

  /// Returns 1/√v, or 0 for v = 0, because a row of equal elements is normalized to zeros, or NaN
  /// if v is infinite or NaN.
  static double reciprocal(double v) {
    return v == 0 ? 0 : Double.isFinite(v) ? 1 / Math.sqrt(v) : Double.NaN;
  }

  /// Returns the number of rows. Throws `IllegalArgumentException` if `x`, the other operands and
  /// the layer's gain and bias do not agree in shape or type, if the type is neither FLOAT32 nor
  /// FLOAT64, or if the elements of `x` do not divide into rows.
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
