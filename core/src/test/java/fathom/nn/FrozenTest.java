package fathom.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.Layer;
import fathom.Param;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.net.CifarNet;
import fathom.net.ImageShape;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FrozenTest {
  private static Layer net() {
    return CifarNet.named("resnet8").withWidth(2).on(new ImageShape(1, 8, 8), 3).build(Init.he(4));
  }

  private static Tensor images() {
    RandomKey key = RandomKey.of(3, "images");
    double[] values = new double[4 * 64];
    Arrays.setAll(values, key::normal);
    return Tensor.of(values, 4, 1, 8, 8).to(fathom.DType.FLOAT32);
  }

  /// The parameters and buffers before a path.
  private static Set<Param> before(Layer net, String path) {
    var frozen = new LinkedHashSet<Param>();
    for (var entry : net.state().entrySet()) {
      if (entry.getKey().startsWith(path)) {
        break;
      }
      frozen.add(entry.getValue());
    }
    return frozen;
  }

  @ParameterizedTest
  @ValueSource(strings = {"bn1", "layer2", "layer2.0.bn1", "layer3.0.conv2", "linear"})
  void onlyTheRestHasGradientsAndNewStatistics(String first) {
    try (var _ = Scope.open()) {
      Layer net = net();
      Set<Param> frozen = before(net, first);
      Layer half = Fused.of(Frozen.of(net, frozen::contains));
      assertEquals(net.state(), half.state(), "the paths are the same");
      var state = List.copyOf(net.state().values());
      var was = state.stream().map(p -> p.value().toDoubles()).toList();
      var y = half.forward(images());
      y.accumulate(y.value().zerosLike().plus(1));
      for (int i = 0; i < state.size(); i++) {
        Param param = state.get(i);
        if (param.trained()) {
          boolean zero = Arrays.stream(param.grad().toDoubles()).allMatch(g -> g == 0);
          assertEquals(frozen.contains(param), zero, List.copyOf(net.state().keySet()).get(i));
        } else {
          boolean same = Arrays.equals(was.get(i), param.value().toDoubles());
          assertEquals(frozen.contains(param), same, List.copyOf(net.state().keySet()).get(i));
        }
      }
    }
  }

  /// With all but the classifier frozen, the net is the classifier of what the frozen net predicts.
  @Test
  void aFrozenNetBehavesAsInEvaluation() {
    try (var _ = Scope.open()) {
      Layer net = net();
      Layer probe = Frozen.of(net, before(net, "linear")::contains);
      assertArrayEquals(
          net.predict(images()).toDoubles(), probe.forward(images()).value().toDoubles(), 1e-6);
      var all = new Frozen(net).forward(images());
      assertArrayEquals(new double[4 * 64], all.back(all.value().zerosLike().plus(1)).toDoubles());
    }
  }

  @Test
  void aLayerIsFrozenAsAWhole() {
    try (var _ = Scope.open()) {
      Dense dense = Dense.of(Init.he(1), "dense", 2, 3);
      var e =
          assertThrows(
              IllegalArgumentException.class,
              () -> Frozen.of(dense, param -> param == dense.weight()));
      assertTrue(e.getMessage().contains("as a whole"), e::getMessage);
    }
  }
}
