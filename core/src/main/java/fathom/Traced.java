package fathom;

/// A layer's value and the way back from it.
public record Traced(Tensor value, Pullback pullback) {
  /// dE/dy to dE/dx, once. Throws `IllegalArgumentException` if `dy` has not the value's shape and
  /// type.
  public Tensor back(Tensor dy) {
    check(dy);
    return pullback.apply(dy);
  }

  /// As [#back] when dE/dx is not needed.
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
