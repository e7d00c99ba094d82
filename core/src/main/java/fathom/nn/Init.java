package fathom.nn;

import fathom.DType;
import fathom.Node;
import fathom.RandomKey;
import fathom.Shape;
import fathom.Tensor;

/// The initial weights of a net. A random weight depends on the seed and on the weight's path in
/// the net, not on what was drawn before it. Two nets that share a layer's path and shape, as a
/// residual net and its plain twin do, therefore start that layer with the same weights.
@FunctionalInterface
public interface Init {
  /// Returns weights of this shape. Each output of the layer sums `fanIn` products; `path` names
  /// the weights in the net.
  Tensor weights(String path, long fanIn, long... shape);

  /// Draws normal weights with mean 0 and standard deviation √(2 / fanIn), which keeps the variance
  /// of a signal through ReLU layers (He et al. 2015, "Delving deep into rectifiers", eq. 10).
  static Init he(long seed) {
    return (path, fanIn, shape) -> {
      float[] weights = new float[elements(shape)];
      RandomKey key = RandomKey.of(seed, "init " + path);
      double standardDeviation = Math.sqrt(2.0 / fanIn);
      for (int i = 0; i < weights.length; i++) {
        weights[i] = (float) (standardDeviation * key.normal(i));
      }
      return Tensor.of(weights, shape);
    };
  }

  /// Returns zero weights, for a net whose weights are about to be read from a file or that is only
  /// measured.
  static Init zeros() {
    return (_, _, shape) -> Tensor.zeros(DType.FLOAT32, shape);
  }

  /// Returns these initial weights for the layers inside `parent`, whose name is put before their
  /// paths.
  default Init in(String parent) {
    return (path, fanIn, shape) -> weights(Node.path(parent, path), fanIn, shape);
  }

  private static int elements(long[] shape) {
    return Math.toIntExact(Shape.of(shape).elements());
  }
}
