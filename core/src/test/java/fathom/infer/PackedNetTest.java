package fathom.infer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.DType;
import fathom.Layer;
import fathom.Lifetime;
import fathom.Param;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Torch;
import fathom.net.CifarNet;
import fathom.net.ImageShape;
import fathom.net.Summary;
import fathom.nn.Init;
import fathom.parallel.Cores;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PackedNetTest {
  private static final RandomKey DRAW = RandomKey.of(1, "packed");

  private static Layer net(int width, int side) {
    Layer net =
        CifarNet.named("resnet8")
            .withWidth(width)
            .on(new ImageShape(3, side, side), 10)
            .build(Init.he(3));
    int i = 0;
    for (var entry : net.state().entrySet()) {
      Param param = entry.getValue();
      RandomKey own = DRAW.at(i++);
      if (!param.trained()) { // running statistics as after a training
        double[] values = new double[(int) param.value().shape().elements()];
        boolean mean = entry.getKey().endsWith("mean"); // a large one would silence every rectifier
        Arrays.setAll(values, k -> mean ? own.uniform(k) - 0.5 : 0.5 + own.uniform(k));
        param.value().copy_(values);
      }
    }
    return net;
  }

  private static Tensor images(int count, int side) {
    return Tensor.normal(DRAW.at(99), DType.FLOAT32, count, 3, side, side).channelsLast();
  }

  private static double[] expected(int width, int side, int count) {
    try (var _ = Scope.open()) {
      return net(width, side).predict(images(count, side)).toDoubles();
    }
  }

  private static double[] predicted(PackedNet net, int side, int count) {
    try (var _ = Scope.open()) {
      Tensor x = images(count, side);
      double[] before = x.toDoubles();
      Tensor y = net.predict(x);
      assertEquals(Shape.of(count, 10), y.shape());
      assertArrayEquals(before, x.toDoubles(), "the argument was written into");
      return y.toDoubles();
    }
  }

  private static void assertNear(double[] expected, double[] actual) {
    double scale = Arrays.stream(expected).map(Math::abs).max().orElseThrow();
    assertTrue(scale > 1e-3, "a net that gives nothing shows nothing");
    assertArrayEquals(expected, actual, 1e-5 * scale);
  }

  /// One image and few, in a net that is large enough for all cores and in one that is not; many.
  @ParameterizedTest
  @CsvSource({"4,12,33", "40,64,9"})
  void everyNumberOfImagesGetsWhatThePlainNetGives(int width, int side, int most) throws Exception {
    long before = Tensor.live();
    try (var life = new Lifetime();
        var threads = Executors.newFixedThreadPool(3)) {
      Shape image = Shape.of(3, side, side);
      PackedNet net = PackedNet.of(() -> net(width, side), DType.FLOAT32, image, life);
      for (int count : new int[] {1, 3, most, 1, 1, 1, 1, 3}) { // so often that it is warm
        double[] expected = expected(width, side, count);
        assertNear(expected, predicted(net, side, count));
        assertEquals(1, Torch.threads(), "the caller keeps no threads");
        var calls = new ArrayList<Future<double[]>>();
        for (int t = 0; t < 3; t++) {
          calls.add(threads.submit(() -> predicted(net, side, count)));
        }
        for (Future<double[]> call : calls) {
          assertNear(expected, call.get());
        }
        Cores.alone(() -> assertNear(expected, predicted(net, side, count)));
      }
    }
    assertEquals(before, Tensor.live());
  }

  /// The two nets of the test above lie on both sides of what it says.
  @Test
  void theWorkDecidesWhetherCoresShareOperations() {
    try (var _ = Scope.open()) {
      assertTrue(Summary.of(net(4, 12), Shape.of(3, 12, 12)).multiplyAdds() * 33 < 1 << 27);
      assertTrue(Summary.of(net(40, 64), Shape.of(3, 64, 64)).multiplyAdds() > 1 << 27);
    }
  }

  /// What only a training needs is freed: gradients, and the weights that were folded.
  @Test
  void itHoldsNoMoreThanItNeeds() {
    long before = Tensor.liveBytes();
    try (var life = new Lifetime()) {
      PackedNet net = PackedNet.of(() -> net(16, 12), DType.FLOAT32, Shape.of(3, 12, 12), life);
      long bytes = Tensor.liveBytes() - before;
      long weights;
      try (var _ = Scope.open()) {
        weights = 4 * Summary.of(net(16, 12), Shape.of(3, 12, 12)).params();
      }
      assertTrue(bytes < 1.1 * weights, "%s bytes for %s of weights".formatted(bytes, weights));
      assertEquals(20, predicted(net, 12, 2).length);
    }
    assertEquals(before, Tensor.liveBytes());
  }
}
