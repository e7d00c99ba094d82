package fathom.recurrent;

import fathom.Tensor;

/// The value of a [Recurrent], the state after it, and the way back from both.
public record TracedSequence(Tensor value, State end, Back pullback) {
  /// The cotangents of the argument and of the state in which it began.
  public record Cotangents(Tensor dx, State dstart) {}

  /// From the cotangents of the values and of the last state to those of the argument and of the
  /// first state. Runs once; gradients of parameters are added on the way.
  @FunctionalInterface
  public interface Back {
    Cotangents apply(Tensor dy, State dend);
  }

  /// Throws `IllegalArgumentException` if a cotangent has not the shape and type of what it belongs
  /// to.
  public Cotangents back(Tensor dy, State dend) {
    if (!dy.shape().equals(value.shape()) || dy.type() != value.type()) {
      throw new IllegalArgumentException(
          "a cotangent has the shape and type of its value, %s %s, but this one is %s %s"
              .formatted(value.shape(), value.type(), dy.shape(), dy.type()));
    }
    end.check(dend);
    return pullback.apply(dy, dend);
  }

  /// The same where nothing depends on the last state.
  public Cotangents back(Tensor dy) {
    return back(dy, end.zerosLike());
  }
}
