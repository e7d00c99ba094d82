package fathom.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import fathom.DType;
import fathom.Node;
import fathom.Param;
import fathom.Scope;
import fathom.Tensor;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class LayerWatchTest {
  /// W = (3, 4) has the norm 5, dE/dW = (0, 2) the norm 2; half of that against it moves W by 1, a
  /// fifth of it. A bias is no weight.
  @Test
  void normsAndRatiosAreAsByHand() {
    try (var _ = Scope.open()) {
      Param weight = Param.of(Tensor.of(new double[] {3, 4}, 1, 2));
      Param bias = Param.of(Tensor.of(new double[] {7}, 1));
      Param zero = Param.of(Tensor.zeros(DType.FLOAT64, 2, 2));
      weight.grad().add_(new double[] {0, 2});
      Node net =
          new Node() {
            @Override
            public Map<String, Param> own() {
              return Map.of("weight", weight, "bias", bias, "zero", zero);
            }
          };
      long live = Tensor.live();
      Metrics.Watch watch;
      try (var _ = Scope.open()) {
        var around = new LayerWatch(net, List.of(Recording.Quantity.values()));
        weight.value().add_(new double[] {0, -1});
        watch = around.moved(8);
      }
      assertEquals(live, Tensor.live());
      assertEquals(8, watch.step());
      assertEquals(2, of(watch.gradients(), "weight"), 1e-12);
      assertEquals(0.2, of(watch.updates(), "weight"), 1e-12);
      assertEquals(0, of(watch.updates(), "zero"));
      assertEquals(2, watch.updates().size(), "no bias");
      assertEquals(List.of(), watch.responses());
    }
  }

  private static double of(List<Metrics.Layers.Entry> entries, String layer) {
    return entries.stream().filter(e -> e.layer().equals(layer)).findFirst().orElseThrow().value();
  }
}
