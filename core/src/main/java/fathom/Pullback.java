package fathom;

/// The way back through a layer: from the cotangent of its value, dE/dy, to the cotangent of its
/// argument, dE/dx. Gradients of parameters are added to [Param#grad()] on the way.
///
/// A pullback runs exactly once: what training accumulates besides gradients (the running
/// statistics of batch norm) is committed here. Call it through [Traced#back], which checks shape
/// and type.
@FunctionalInterface
public interface Pullback {
  /// Returns dE/dx, shaped like the layer's argument, as a tensor of its own; `dy` is left as it
  /// is.
  Tensor apply(Tensor dy);

  /// The same when nobody needs dE/dx, as for the first layer of a net: it need not be computed.
  default void accumulate(Tensor dy) {
    apply(dy).release();
  }
}
