package fathom.lab.reading;

import static org.junit.jupiter.api.Assertions.assertEquals;

import fathom.DType;
import fathom.Node;
import fathom.RandomKey;
import fathom.Tensor;
import java.util.Arrays;
import java.util.function.DoubleSupplier;

/// The law that gradients are derivatives.
final class Slopes {
  private static final double STEP = 1e-6;

  private Slopes() {}

  /// The net in float64, with parameters away from the 0 and 1 at which some begin.
  static <N extends Node> N doubles(N net) {
    net.state()
        .forEach((path, param) -> {
          param.convert(DType.FLOAT64);
          long[] shape = param.value().shape().toArray();
          param
              .value()
              .add_(Tensor.normal(RandomKey.of(4, path + "."), DType.FLOAT64, shape).times(0.2));
        });
    return net;
  }

  /// The gradient of each parameter is the derivative of `value` along a direction, by central
  /// differences.
  static void check(Node net, DoubleSupplier value) {
    net.state()
        .forEach((path, param) -> {
          long[] shape = param.value().shape().toArray();
          Tensor along = Tensor.normal(RandomKey.of(6, path + "."), DType.FLOAT64, shape);
          double[] before = param.value().toDoubles();
          param.value().add_(along.times(STEP));
          double up = value.getAsDouble();
          param.value().copy_(before).add_(along.times(-STEP));
          double down = value.getAsDouble();
          param.value().copy_(before);
          Tensor products = param.grad().times(along);
          double size = Arrays.stream(products.toDoubles()).map(Math::abs).sum();
          assertEquals(
              (up - down) / (2 * STEP),
              products.sum().item(),
              1e-6 * Math.max(0.01, size),
              path + " of " + net);
        });
  }
}
