package fathom.lab.experiment;

import fathom.DType;
import fathom.Layer;
import fathom.Param;
import fathom.RandomKey;
import fathom.Tensor;
import fathom.nn.BatchNorm;
import fathom.nn.Dense;
import fathom.nn.Init;

/// Random layers in float64, and Gaussian inputs for them.
final class Signals {
  private Signals() {}

  /// Returns a dense layer with He's weights and no bias.
  static Layer dense(int width, long seed, int layer) {
    return doubles(Dense.withoutBias(Init.he(seed), "layer" + layer, width, width));
  }

  static Layer batchNorm(int width) {
    return doubles(BatchNorm.of(width));
  }

  static Layer doubles(Layer layer) {
    for (Param param : layer.state().values()) {
      param.convert(DType.FLOAT64);
    }
    return layer;
  }

  static Tensor inputs(int width, int count, long seed) {
    return Tensor.normal(RandomKey.of(seed, "inputs"), DType.FLOAT64, count, width);
  }

  /// Returns the gradient by the input of every example, with the same cotangent for each example.
  static Tensor gradient(Layer net, int width, int count, long seed) {
    var traced = net.forward(inputs(width, count, seed));
    Tensor direction =
        Tensor.normal(RandomKey.of(seed, "direction"), DType.FLOAT64, 1, width)
            .times(1 / Math.sqrt(width));
    return traced.back(direction.expand(traced.value().shape()).contiguous());
  }
}
