package fathom.task;

import fathom.Node;
import fathom.Tensor;

/// Sees the tensors between the layers of a net. It must not change the tensors, nor keep them,
/// because they live only as long as their step.
public interface Watch {
  /// Gets a layer's activation in the forward pass; `path` is the path of the layer in its net.
  void activation(String path, Node layer, Tensor y);

  /// Gets the cotangent of a layer's activation, dE/dy, in the backward pass.
  void cotangent(String path, Node layer, Tensor dy);
}
