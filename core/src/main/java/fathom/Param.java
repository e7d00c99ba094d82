package fathom;

import org.jspecify.annotations.Nullable;

/// A tensor that belongs to a layer: trained, with a gradient that pullbacks add to, or a buffer
/// that is only stored with the rest, such as the running statistics of batch norm.
///
/// Its name is its path in the tree of layers ([Layer#state()]). It lives in the scope in which it
/// is made, which is the one in which the net is built.
public final class Param {
  private Tensor value;
  private @Nullable Tensor grad;

  private Param(Tensor value, @Nullable Tensor grad) {
    this.value = value;
    this.grad = grad;
  }

  /// A trained parameter with a zero gradient. The parameter owns `value` from now on.
  public static Param of(Tensor value) {
    return new Param(value, value.zerosLike());
  }

  /// A parameter that is not trained.
  public static Param buffer(Tensor value) {
    return new Param(value, null);
  }

  public boolean trained() {
    return grad != null;
  }

  public Tensor value() {
    return value;
  }

  /// dE/dvalue, summed over the pullbacks that have run since it was last set to zero. Throws
  /// `IllegalStateException` for a buffer.
  public Tensor grad() {
    if (grad == null) {
      throw new IllegalStateException(
          "a buffer of shape %s is not trained and has no gradient".formatted(value.shape()));
    }
    return grad;
  }

  /// Converts value and gradient: the checks run a net in float64.
  public void convert(DType type) {
    bind(value.to(type), grad == null ? null : grad.to(type));
  }

  /// From now on uses these tensors and forgets its own.
  void bind(Tensor value, @Nullable Tensor grad) {
    this.value = value;
    this.grad = grad;
  }
}
