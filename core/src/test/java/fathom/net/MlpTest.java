package fathom.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.DType;
import fathom.Layer;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;
import fathom.nn.Init;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MlpTest {
  private static Mlp small(Norm norm) {
    return new Mlp(List.of(16, 12), norm, false, 0, new ImageShape(2, 3, 2), 3);
  }

  @Test
  void theNetOfThePaperHasItsParameters() {
    try (var _ = Scope.open()) {
      var state = Mlp.named("MLP").build(Init.zeros()).state();
      assertEquals(
          List.of(
              "hidden1.weight",
              "norm1.weight",
              "norm1.bias",
              "hidden2.weight",
              "norm2.weight",
              "norm2.bias",
              "linear.weight",
              "linear.bias"),
          List.copyOf(state.keySet()));
      assertEquals(Shape.of(1000, 784), state.get("hidden1.weight").value().shape());
      assertEquals(Shape.of(10, 1000), state.get("linear.weight").value().shape());
      assertEquals("mlp", Mlp.named("mlp").name());
    }
  }

  @Test
  void aBiasBeforeANormIsTheDenseLayers() {
    try (var _ = Scope.open()) {
      assertTrue(
          small(Norm.LAYER)
              .withBiasBeforeNorm(true)
              .build(Init.zeros())
              .state()
              .containsKey("hidden1.bias"));
      // There would be two biases, one after the other.
      assertEquals(
          List.of("hidden1.weight", "norm1.bias", "hidden2.weight", "norm2.bias"),
          List.copyOf(
                  small(Norm.NONE).withBiasBeforeNorm(true).build(Init.zeros()).state().keySet())
              .subList(0, 4));
    }
  }

  @ParameterizedTest
  @EnumSource(
      names = {"INSTANCE", "STANDARDIZED"},
      mode = EnumSource.Mode.EXCLUDE)
  void everyNormTrains(Norm norm) {
    try (var _ = Scope.open()) {
      Layer net = small(norm).build(Init.he(1));
      Tensor x = Tensor.normal(RandomKey.of(1, "x"), DType.FLOAT32, 5, 2, 3, 2);
      Traced y = net.forward(x);
      assertEquals(Shape.of(5, 3), y.value().shape());
      Tensor dy = Tensor.normal(RandomKey.of(2, "dy"), DType.FLOAT32, 5, 3);
      assertEquals(x.shape(), y.back(dy).shape());
      net.state()
          .forEach((path, param) -> {
            if (param.trained()) {
              double sum = param.grad().square().sum().item();
              assertTrue(sum > 0 && sum < 1e6, "the gradient of %s: %s".formatted(path, sum));
            }
          });
    }
  }

  /// Weight norm starts as the net without: its gains are the lengths of the weights.
  @Test
  void weightNormStartsAsTheNetWithoutNorm() {
    try (var _ = Scope.open()) {
      Tensor x = Tensor.normal(RandomKey.of(1, "x"), DType.FLOAT32, 5, 2, 3, 2);
      double[] none = small(Norm.NONE).build(Init.he(1)).predict(x).toDoubles();
      double[] weight = small(Norm.WEIGHT).build(Init.he(1)).predict(x).toDoubles();
      for (int i = 0; i < none.length; i++) {
        assertEquals(none[i], weight[i], 1e-5);
      }
    }
  }

  @Test
  void whatMakesNoNetIsRefused() {
    try (var _ = Scope.open()) {
      for (Runnable bad :
          new Runnable[] {
            () -> Mlp.named("mlp2"),
            () -> small(Norm.LAYER).withHidden(List.of(3, 0)),
            () -> small(Norm.LAYER).withHidden(List.of()),
            () -> small(Norm.LAYER).on(new ImageShape(1, 0, 2), 3),
            () -> small(Norm.LAYER).on(new ImageShape(1, 2, 2), 0),
            () -> small(Norm.INSTANCE).build(Init.zeros()),
            () -> small(Norm.GROUP).withHidden(List.of(8)).build(Init.zeros())
          }) {
        assertThrows(IllegalArgumentException.class, bad::run);
      }
    }
  }

  /// So that no product of its sizes overflows later.
  @Test
  void anImageOfMoreValuesThanAnArrayHasIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> new ImageShape(1 << 11, 1 << 10, 1 << 10));
    assertEquals(1 << 30, new ImageShape(1 << 10, 1 << 10, 1 << 10).channels() << 20);
  }
}
