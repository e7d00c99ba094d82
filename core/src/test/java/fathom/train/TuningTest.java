package fathom.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import fathom.Layer;
import fathom.Scope;
import fathom.net.CifarNet;
import fathom.net.ImageShape;
import fathom.nn.Init;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import org.junit.jupiter.api.Test;

class TuningTest {
  private static Layer net() {
    return CifarNet.named("resnet14")
        .withWidth(2)
        .on(new ImageShape(1, 8, 8), 3)
        .build(Init.zeros());
  }

  /// Two blocks in each of three stages, between the first convolution with its norm and the
  /// classifier: distances 7 to 0.
  @Test
  void theLearningRateDecaysWithTheDistanceFromTheClassifier() {
    try (var _ = Scope.open()) {
      Layer net = net();
      double[] factors = new Tuning("", 0, 0.5).factors(net, 0);
      var byLayer = new LinkedHashMap<String, Double>();
      int i = 0;
      for (var entry : net.state().entrySet()) {
        if (entry.getValue().trained()) {
          String layer = entry.getKey().replaceFirst("(layer\\d\\.\\d|[a-z]+\\d?)\\..*", "$1");
          Double before = byLayer.put(layer, factors[i]);
          assertEquals(before == null ? factors[i] : before, factors[i], entry.getKey());
          i++;
        }
      }
      assertEquals(factors.length, i);
      var expected = new LinkedHashMap<String, Double>();
      expected.put("conv1", 1 / 128.0);
      expected.put("bn1", 1 / 128.0);
      for (int block = 0; block < 6; block++) {
        expected.put("layer%s.%s".formatted(block / 2 + 1, block % 2), 1.0 / (64 >> block));
      }
      expected.put("linear", 1.0);
      assertEquals(expected, byLayer);
    }
  }

  @Test
  void aProbeLeavesTheClassifierAloneAndThenWhatIsBeforeTheLayer() {
    try (var _ = Scope.open()) {
      Layer net = net();
      var tuning = new Tuning("layer3", 2, 1);
      for (int epoch = 0; epoch < 4; epoch++) {
        var frozen = tuning.frozen(net, epoch);
        var trained = new ArrayList<String>();
        net.state()
            .forEach((path, param) -> {
              if (!frozen.contains(param)) {
                trained.add(path);
              }
            });
        assertEquals(
            epoch < 2 ? "linear.weight" : "layer3.0.conv1.weight", trained.getFirst(), "" + epoch);
        assertEquals("linear.bias", trained.getLast());
        double[] factors = tuning.factors(net, epoch);
        assertEquals(0, factors[0]);
        assertEquals(1, factors[factors.length - 1]);
      }
    }
  }

  @Test
  void withoutTuningAllLayersAreTrainedAlike() {
    try (var _ = Scope.open()) {
      Layer net = net();
      double[] ones = new double[net.params().size()];
      java.util.Arrays.fill(ones, 1);
      assertArrayEquals(ones, Tuning.NONE.factors(net, 0));
      assertEquals(0, Tuning.NONE.frozen(net, 0).size());
    }
  }
}
