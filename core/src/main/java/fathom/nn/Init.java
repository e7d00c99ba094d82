package fathom.nn;

import fathom.DType;
import fathom.Node;
import fathom.RandomKey;
import fathom.Shape;
import fathom.Tensor;

/// How the weights of a new net are drawn. A draw depends on the seed and on the weight's place in
/// the net, not on what was drawn before: two nets that share a layer's name and shape, as a
/// residual net and its plain twin do, start it with the same weights.
@FunctionalInterface
public interface Init {
  /// Weights of this shape, each of whose outputs sums `fanIn` products; `path` names them in the
  /// net.
  Tensor weights(String path, long fanIn, long... shape);

  /// Normal with mean 0 and standard deviation √(2 / fanIn), which keeps the variance of a signal
  /// through rectifiers (He et al. 2015, "Delving deep into rectifiers", eq. 10).
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

  /// All zero: for a net whose weights are about to be read, or that is only measured.
  static Init zeros() {
    return (_, _, shape) -> Tensor.zeros(DType.FLOAT32, shape);
  }

  /// The same for the layers inside `parent`: paths start with its name.
  default Init in(String parent) {
    return (path, fanIn, shape) -> weights(Node.path(parent, path), fanIn, shape);
  }

  private static int elements(long[] shape) {
    return Math.toIntExact(Shape.of(shape).elements());
  }
}
