package fathom;

/// The backward pass of a layer. It maps the cotangent of the layer's output, dE/dy, to the
/// cotangent of its input, dE/dx, and adds the gradients of the parameters to [Param#grad()].
///
/// A pullback runs exactly once, because it also commits the state that training accumulates
/// besides gradients, such as the running statistics of batch norm. Call it through [Traced#back],
/// which checks shape and type.
@FunctionalInterface
public interface Pullback {
  /// Returns dE/dx, shaped like the layer's input, as a new tensor; leaves `dy` unchanged.
  Tensor apply(Tensor dy);

  /// Runs the backward pass when no caller needs dE/dx, as in the first layer of a net. Layers
  /// override it to skip the computation of dE/dx.
  default void accumulate(Tensor dy) {
    apply(dy).release();
  }
}
