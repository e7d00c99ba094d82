package fathom.net;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.DType;
import fathom.Layer;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.nn.Fused;
import fathom.nn.Init;
import fathom.parallel.Collective;
import fathom.parallel.Step;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// `dropout` of [Architecture.Options], in every family of nets for images.
class DropoutOptionTest {
  private static final ImageShape INPUT = new ImageShape(2, 9, 8);

  private static Layer built(String model, double dropout) {
    var options = new Architecture.Options(null, null, null, null, null, dropout);
    var net = Architecture.images(model, options);
    assertEquals(dropout > 0, net.options().given().containsKey("dropout"));
    return net.on(INPUT, 3).build(Init.he(1));
  }

  /// The same parameters under the same names, and the same prediction.
  @ParameterizedTest
  @ValueSource(strings = {"mlp", "resnet8", "plain8", "resnet18", "resnet50", "ln-lstm"})
  void dropoutIsForTrainingAlone(String model) {
    try (var _ = Scope.open()) {
      Layer without = built(model, 0);
      Layer with = built(model, 0.5);
      assertEquals(List.copyOf(without.state().keySet()), List.copyOf(with.state().keySet()));
      Tensor x = Tensor.normal(RandomKey.of(1, "x"), DType.FLOAT32, 4, 2, 9, 8);
      assertArrayEquals(without.predict(x).toDoubles(), with.predict(x).toDoubles());
      assertFalse(Arrays.equals(trained(without, x), trained(with, x)));
      assertArrayEquals(trained(Fused.of(with), x), trained(Fused.of(with), x));
    }
  }

  private static double[] trained(Layer net, Tensor x) {
    return new Step(1, 0, Collective.ALONE, 4).run(() -> net.forward(x).value().toDoubles());
  }

  @Test
  void netsForTextHaveNone() {
    var options = new Architecture.Options(null, null, null, null, null, 0.5);
    var e =
        assertThrows(IllegalArgumentException.class, () -> Architecture.text("ln-lstm", options));
    assertTrue(e.getMessage().contains("`dropout` means nothing to ln-lstm"), e.getMessage());
  }
}
