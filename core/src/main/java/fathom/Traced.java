package fathom;

/// The output of a layer together with its pullback.
///
/// @param value the output y
/// @param pullback maps dE/dy to dE/dx and adds the gradients of the parameters; it runs once
public record Traced(Tensor value, Pullback pullback) {
  /// Runs the pullback: returns dE/dx for dE/dy. It may be called once. Throws
  /// `IllegalArgumentException` if `dy` does not have the shape and type of the output.
  public Tensor back(Tensor dy) {
    check(dy);
    return pullback.apply(dy);
  }

  /// Runs the pullback as [#back] does, but without computing dE/dx where the layer can skip it.
  public void accumulate(Tensor dy) {
    check(dy);
    pullback.accumulate(dy);
  }

  private void check(Tensor dy) {
    if (!dy.shape().equals(value.shape()) || dy.type() != value.type()) {
      throw new IllegalArgumentException(
          "a cotangent has the shape and type of its value, %s %s, but this one is %s %s"
              .formatted(value.shape(), value.type(), dy.shape(), dy.type()));
    }
  }
}
