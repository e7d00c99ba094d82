package fathom.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import fathom.DType;
import fathom.Layer;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;
import fathom.net.CifarNet;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ChainTest {
  static Stream<UnaryOperator<Layer>> forms() {
    return Stream.of(layer -> layer, Fused::of, layer -> Fused.of(Recompute.every(1, layer)));
  }

  @ParameterizedTest
  @MethodSource("forms")
  void afterTheBackwardPassOnlyTheOutputAndTheGradientOfTheInputLive(UnaryOperator<Layer> form) {
    try (var _ = Scope.open()) {
      Layer net = form.apply(CifarNet.named("resnet8").build(Init.he(1)));
      Tensor x = Tensor.normal(RandomKey.of(1, "x"), DType.FLOAT32, 2, 3, 32, 32).channelsLast();
      back(net, x); // makes the gradients of the parameters
      long before = Tensor.live();
      Traced y = net.forward(x);
      Tensor dx = y.back(y.value().zerosLike().plus(1));
      assertEquals(before + 2 + 2, Tensor.live(), "y and dx, and the two behind dy");
      assertEquals(20, y.value().toDoubles().length);
      assertEquals(2 * 3 * 32 * 32, dx.toDoubles().length);
    }
  }

  private static void back(Layer net, Tensor x) {
    try (var _ = Scope.open()) {
      Traced y = net.forward(x);
      y.back(y.value().zerosLike());
    }
  }

  @Test
  void aValueThatWasKeptOutlivesThePullback() {
    try (var _ = Scope.open()) {
      Tensor[] seen = new Tensor[2];
      Tensor x = Tensor.zeros(DType.FLOAT32, 2, 3).plus(2);
      Traced y;
      try (var step = Scope.open()) {
        Layer first = new Seen(seen, 0);
        y = Chain.of(first, new Relu(), new Seen(seen, 1), new Relu()).forward(x);
        step.keep(seen[0]);
        y.back(y.value().zerosLike());
        assertEquals(2, seen[0].toDoubles()[0]);
        assertThrows(IllegalStateException.class, () -> seen[1].toDoubles());
      }
      assertEquals(2, seen[0].toDoubles()[0]);
    }
  }

  /// The identity, whose value can be read from outside.
  private record Seen(Tensor[] values, int place) implements Layer {
    @Override
    public Traced forward(Tensor x) {
      values[place] = x.plus(0);
      return new Traced(values[place], Tensor::alias);
    }

    @Override
    public Shape shape(Shape x) {
      return x;
    }

    @Override
    public Tensor predict(Tensor x) {
      return x.alias();
    }
  }
}
