package fathom.net;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.DType;
import fathom.Layer;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.nn.Chain;
import fathom.nn.Init;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FeatureMapsTest {
  private static final RandomKey KEY = RandomKey.of(5, "feature maps");

  private static Tensor images(long... shape) {
    return Tensor.normal(KEY, DType.FLOAT64, shape);
  }

  private static Layer inDoubles(Layer net) {
    net.state().values().forEach(param -> param.convert(DType.FLOAT64));
    return net;
  }

  /// Of a net for photos C2 to C5: a quarter, an eighth, a sixteenth and a 32nd of the side.
  @ParameterizedTest
  @CsvSource({"resnet18, 1", "resnet50, 4", "resnet50d, 4", "preresnet50, 4", "resnetv2_50x1, 4"})
  void mapsOfPhotosHaveTheirSizes(String name, int times) {
    var net = Architecture.Convolutional.named(name).withWidth(2).on(new ImageShape(3, 65, 64), 7);
    try (var _ = Scope.open()) {
      var maps = FeatureMaps.of(net, net.build(Init.he(1)));
      var shapes =
          maps.predict(Tensor.zeros(DType.FLOAT32, 2, 3, 65, 64)).values().stream()
              .map(Tensor::shape)
              .toList();
      assertEquals(
          List.of(
              Shape.of(2, 2L * times, 17, 16),
              Shape.of(2, 4L * times, 9, 8),
              Shape.of(2, 8L * times, 5, 4),
              Shape.of(2, 16L * times, 3, 2)),
          shapes);
      assertEquals(net.stages(), maps.names());
    }
  }

  /// What follows the last map, over the last map, is the net; and with a cotangent of the last map
  /// alone the maps have the net's gradients.
  @ParameterizedTest
  @CsvSource({"resnet8", "preresnet8", "plain8"})
  void theyAreThoseOfTheNet(String name) {
    var net = Architecture.Convolutional.named(name).withWidth(2).on(new ImageShape(3, 9, 8), 7);
    try (var _ = Scope.open()) {
      Layer whole = inDoubles(net.build(Init.he(1)));
      var maps = FeatureMaps.of(net, whole);
      Tensor x = images(3, 3, 9, 8);
      int end = 0;
      while (!whole.children().get(end).name().equals("layer3")) {
        end++;
      }
      var rest = new Chain(whole.children().subList(end + 1, whole.children().size()));
      var traced = maps.forward(x);
      var behind = rest.forward(traced.maps().lastEntry().getValue());
      var plain = whole.forward(x);
      assertArrayEquals(plain.value().toDoubles(), behind.value().toDoubles(), 0);
      assertArrayEquals(
          whole.predict(x).toDoubles(),
          rest.predict(maps.predict(x).lastEntry().getValue()).toDoubles(),
          0);
      Tensor dy = Tensor.normal(KEY.at(1), DType.FLOAT64, 3, 7);
      Tensor expected = plain.back(dy);
      var gradients = new LinkedHashMap<String, double[]>();
      whole
          .state()
          .forEach((path, param) -> {
            if (param.trained()) {
              gradients.put(path, param.grad().contiguous().toDoubles());
              param.grad().zero_();
            }
          });
      Tensor dx = traced.back().apply(Map.of("layer3", behind.back(dy)));
      assertArrayEquals(
          expected.contiguous().toDoubles(), dx.contiguous().toDoubles(), 1e-12, "dx");
      var state = whole.state();
      gradients.forEach((path, values) ->
          assertArrayEquals(values, state.get(path).grad().contiguous().toDoubles(), 1e-12, path));
      assertTrue(whole.state().entrySet().containsAll(maps.state().entrySet()));
    }
  }

  /// The derivative of a sum over all maps against central differences, and its parts add up.
  @Test
  void cotangentsOfAllMapsAddUp() {
    var net = CifarNet.named("resnet8").withNorm(Norm.GROUP).withWidth(2);
    try (var _ = Scope.open()) {
      Layer whole = inDoubles(net.on(new ImageShape(3, 8, 8), 7).build(Init.he(1)));
      var maps = FeatureMaps.of(net, whole);
      Tensor x = images(2, 3, 8, 8);
      var weights = new LinkedHashMap<String, Tensor>();
      maps.predict(x)
          .forEach((name, map) ->
              weights.put(
                  name,
                  Tensor.normal(RandomKey.of(6, name), DType.FLOAT64, map.shape().toArray())));
      Tensor all = maps.forward(x).back().apply(weights);
      Tensor sum = Tensor.zeros(DType.FLOAT64, 2, 3, 8, 8);
      for (var each : weights.entrySet()) {
        sum = sum.plus(maps.forward(x).back().apply(Map.of(each.getKey(), each.getValue())));
      }
      assertArrayEquals(sum.contiguous().toDoubles(), all.contiguous().toDoubles(), 1e-12);
      Tensor direction = Tensor.normal(KEY.at(2), DType.FLOAT64, 2, 3, 8, 8);
      double step = 1e-6;
      double difference =
          (weighted(maps, x.plus(direction.times(step)), weights)
                  - weighted(maps, x.plus(direction.times(-step)), weights))
              / (2 * step);
      double slope = all.times(direction).sum().item();
      assertEquals(difference, slope, 1e-6 * Math.max(1, Math.abs(slope)));
    }
  }

  private static double weighted(FeatureMaps maps, Tensor x, Map<String, Tensor> weights) {
    double sum = 0;
    for (var each : maps.predict(x).entrySet()) {
      sum += each.getValue().times(weights.get(each.getKey())).sum().item();
    }
    return sum;
  }

  @Test
  void whatIsNoMapIsRefused() {
    try (var _ = Scope.open()) {
      var net = CifarNet.named("resnet8").withWidth(2);
      Layer whole = net.build(Init.he(1));
      for (List<String> names :
          List.of(List.of("layer4"), List.of("layer2", "layer1"), List.<String>of())) {
        assertThrows(IllegalArgumentException.class, () -> FeatureMaps.of(whole, names));
      }
      var e =
          assertThrows(
              IllegalArgumentException.class, () -> FeatureMaps.of(whole, List.of("layer4")));
      assertTrue(e.getMessage().contains("conv1, bn1, relu, layer1"), e.getMessage());
      Tensor x = Tensor.zeros(DType.FLOAT32, 2, 3, 8, 8);
      var back = FeatureMaps.of(net, whole).forward(x).back();
      assertThrows(IllegalArgumentException.class, () -> back.apply(Map.of()));
      assertThrows(IllegalArgumentException.class, () -> back.apply(Map.of("conv1", x)));
    }
  }
}
