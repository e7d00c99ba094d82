package fathom.nn;

import fathom.Layer;
import fathom.Param;
import fathom.Shape;
import fathom.Tensor;

/// Broadcasts parameters with one element for each channel of N×C or N×C×H×W.
final class PerChannel {
  private PerChannel() {}

  /// Returns the parameter in a shape that broadcasts against `x`.
  static Tensor of(Param param, Shape x) {
    long channels = param.value().shape().size(0);
    return x.rank() == 2
        ? param.value().reshape(1, channels)
        : param.value().reshape(1, channels, 1, 1);
  }

  /// Returns the dimensions of `x` over which the gradient of a channel is summed.
  static long[] others(Shape x) {
    return x.rank() == 2 ? new long[] {0} : new long[] {0, 2, 3};
  }

  /// Throws `IllegalArgumentException` if `x` has other channels than the parameter, or another
  /// type.
  static void check(Layer layer, Param param, Tensor x) {
    long channels = param.value().shape().size(0);
    int rank = x.shape().rank();
    if ((rank != 2 && rank != 4) || x.shape().size(1) != channels) {
      throw new IllegalArgumentException(
          "%s needs N×%s or N×%s×H×W, but was given %s"
              .formatted(layer, channels, channels, x.shape()));
    }
    if (x.type() != param.value().type()) {
      throw new IllegalArgumentException(
          "%s has %s parameters and needs an argument of that type, but was given %s; convert one of them"
              .formatted(layer, param.value().type(), x));
    }
  }
}
