package fathom;

import org.jspecify.annotations.Nullable;

/// A tensor that belongs to a layer. It is either trained and has a gradient that pullbacks add to,
/// or it is a buffer that is only stored with the rest, such as the running statistics of batch
/// norm.
///
/// Its name is its path in the tree of layers ([Layer#state()]). It lives in the scope in which it
/// is made, which is the scope in which the net is built.
public final class Param {
  private Tensor value;
  private @Nullable Tensor grad;

  private Param(Tensor value, @Nullable Tensor grad) {
    this.value = value;
    this.grad = grad;
  }

  /// Returns a trained parameter with a gradient of zero. The parameter owns `value` from now on.
  public static Param of(Tensor value) {
    return new Param(value, value.zerosLike());
  }

  /// Returns a parameter that is not trained. It owns `value` from now on.
  public static Param buffer(Tensor value) {
    return new Param(value, null);
  }

  /// Whether this parameter is trained, and not a buffer.
  public boolean trained() {
    return grad != null;
  }

  /// The current value.
  public Tensor value() {
    return value;
  }

  /// The gradient dE/dvalue, summed over the pullbacks that have run since it was last set to zero.
  /// Throws `IllegalStateException` for a buffer.
  public Tensor grad() {
    if (grad == null) {
      throw new IllegalStateException(
          "a buffer of shape %s is not trained and has no gradient".formatted(value.shape()));
    }
    return grad;
  }

  /// Converts value and gradient to another type. Gradient checks use it to run a net in float64.
  public void convert(DType type) {
    bind(value.to(type), grad == null ? null : grad.to(type));
  }

  /// Replaces value and gradient by these tensors.
  void bind(Tensor value, @Nullable Tensor grad) {
    this.value = value;
    this.grad = grad;
  }
}
