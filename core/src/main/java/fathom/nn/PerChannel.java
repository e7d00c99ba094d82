package fathom.nn;

import fathom.Layer;
import fathom.Param;
import fathom.Shape;
import fathom.Tensor;

/// Parameters with an element for each channel of N×C or N×C×H×W.
final class PerChannel {
  private PerChannel() {}

  /// The parameter's value in a shape that repeats along `x`.
  static Tensor of(Param param, Shape x) {
    long channels = param.value().shape().size(0);
    return x.rank() == 2
        ? param.value().reshape(1, channels)
        : param.value().reshape(1, channels, 1, 1);
  }

  /// The dimensions of `x` over which a channel's gradients are summed.
  static long[] others(Shape x) {
    return x.rank() == 2 ? new long[] {0} : new long[] {0, 2, 3};
  }

  /// Throws `IllegalArgumentException` if `x` has other channels or another type.
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
