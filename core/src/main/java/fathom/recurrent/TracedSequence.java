package fathom.recurrent;

import fathom.Tensor;

/// The output of a [Recurrent], the state after it, and the pullback of both.
public record TracedSequence(Tensor value, State end, Back pullback) {
  /// The cotangents of the input and of the first state.
  public record Cotangents(Tensor dx, State dstart) {}

  /// Maps the cotangents of the output and of the last state to those of the input and of the first
  /// state, and adds the gradients of the parameters. It runs once.
  @FunctionalInterface
  public interface Back {
    /// Returns the cotangents of the input and of the first state.
    Cotangents apply(Tensor dy, State dend);
  }

  /// Runs the pullback. Throws `IllegalArgumentException` if a cotangent does not have the shape
  /// and type of the output or of the last state.
  public Cotangents back(Tensor dy, State dend) {
    if (!dy.shape().equals(value.shape()) || dy.type() != value.type()) {
      throw new IllegalArgumentException(
          "a cotangent has the shape and type of its value, %s %s, but this one is %s %s"
              .formatted(value.shape(), value.type(), dy.shape(), dy.type()));
    }
    end.check(dend);
    return pullback.apply(dy, dend);
  }

  /// Runs the pullback for a loss that does not depend on the last state.
  public Cotangents back(Tensor dy) {
    return back(dy, end.zerosLike());
  }
}
