package fathom.task;

import fathom.Node;
import fathom.Tensor;

/// Sees what passes the layers of a net. It must not keep the tensors, which live as long as their
/// step, nor change them.
public interface Watch {
  /// A layer's activation on the way forward; `path` is the layer's in its net.
  void activation(String path, Node layer, Tensor y);

  /// The cotangent of a layer's activation, dE/dy, on the way back.
  void cotangent(String path, Node layer, Tensor dy);
}
