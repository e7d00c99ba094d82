package fathom.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.DType;
import fathom.Layer;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.Traced;
import fathom.net.CifarNet;
import fathom.net.ImageShape;
import fathom.net.Mlp;
import fathom.net.PhotoNet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RecomputeTest {
  private static final int SIDE = 16;

  private static CifarNet net(int depth) {
    return CifarNet.named("resnet" + depth).on(new ImageShape(1, SIDE, SIDE), 10).withWidth(4);
  }

  private static Tensor images(int count) {
    return Tensor.normal(RandomKey.of(1, "x"), DType.FLOAT32, count, 1, SIDE, SIDE);
  }

  private static void step(Layer net, Tensor x) {
    try (var _ = Scope.open()) {
      Traced logits = net.forward(x);
      logits.accumulate(logits.value().zerosLike().plus(1));
    }
  }

  // ---- What is wrapped

  private static int segments(Layer layer) {
    return (layer instanceof Recompute ? 1 : 0)
        + layer.children().stream().mapToInt(child -> segments(child.layer())).sum();
  }

  /// Of a stage with n blocks there are n/K segments, rounded up; a segment has one stage's blocks.
  @ParameterizedTest
  @CsvSource({"1, 12", "2, 6", "3, 6", "4, 3", "100, 3"})
  void aSegmentHasBlocksOfOneStage(int blocks, int segments) {
    try (var _ = Scope.open()) {
      Layer plain = net(26).build(Init.zeros()); // 3 stages of 4
      Layer again = Recompute.every(blocks, plain);
      assertEquals(segments, segments(again));
      assertEquals(segments, segments(Fused.of(again)));
      assertEquals(List.copyOf(plain.state().keySet()), List.copyOf(again.state().keySet()));
    }
  }

  @Test
  void bottlenecksAndPlainBlocksAreBlocks() {
    try (var _ = Scope.open()) {
      Layer photos = PhotoNet.named("resnet50").withWidth(1).build(Init.zeros());
      assertEquals(16, segments(Recompute.every(1, photos)));
      Layer plain = CifarNet.named("plain20").withWidth(1).build(Init.zeros());
      assertEquals(9, segments(Recompute.every(1, plain)));
    }
  }

  /// Everything in a block has its value twice, the stem and the end once; cotangents pass once.
  @Test
  void aBlockIsComputedTwiceAndComesBackOnce() {
    try (var _ = Scope.open()) {
      Map<String, Integer> values = new HashMap<>();
      Map<String, Integer> cotangents = new HashMap<>();
      var counts =
          new Watched.Observer() {
            @Override
            public void value(String path, Layer layer, Tensor y) {
              values.merge(path + layer, 1, Integer::sum);
            }

            @Override
            public void cotangent(String path, Layer layer, Tensor dy) {
              cotangents.merge(path + layer, 1, Integer::sum);
            }
          };
      step(Watched.leaves(Recompute.every(2, net(20).build(Init.he(1))), counts), images(2));
      values.forEach(
          (layer, times) -> assertEquals(layer.startsWith("layer") ? 2 : 1, times, layer));
      cotangents.forEach((layer, times) -> assertEquals(1, times, layer));
      assertEquals(values.keySet(), cotangents.keySet());
    }
  }

  @Test
  void aNetWithoutStagesIsRefused() {
    try (var _ = Scope.open()) {
      Layer mlp = Mlp.named("mlp").withHidden(List.of(3)).build(Init.zeros());
      var e = assertThrows(IllegalArgumentException.class, () -> Recompute.every(2, mlp));
      assertTrue(e.getMessage().contains("no stages"), e.getMessage());
      Layer deep = net(8).build(Init.zeros());
      assertThrows(IllegalArgumentException.class, () -> Recompute.every(0, deep));
    }
  }

  // ---- Memory

  /// The most bytes of tensors, beyond those before the step, that any convolution sees.
  private static long peak(Layer net, Tensor x) {
    long before = Tensor.liveBytes();
    var most = new AtomicLong();
    var look =
        new Watched.Observer() {
          private void look() {
            most.accumulateAndGet(Tensor.liveBytes() - before, Math::max);
          }

          @Override
          public void value(String path, Layer layer, Tensor y) {
            look();
          }

          @Override
          public void cotangent(String path, Layer layer, Tensor dy) {
            look();
          }
        };
    step(Layer.map(net, (path, l) -> l instanceof Conv2d ? new Watched(path, l, look) : l), x);
    return most.get();
  }

  /// With B of n blocks at a time: the arguments of n/B segments, and four tensors for each block
  /// of one, of the first stage's size at most. Beside them live the stem and what is on its way.
  @ParameterizedTest
  @CsvSource({"62, 2", "62, 5", "122, 3", "122, 4"})
  void memoryIsThatOfTheArgumentsAndOneSegment(int depth, int blocks) {
    try (var _ = Scope.open()) {
      CifarNet net = net(depth);
      int images = 4;
      Tensor x = images(images);
      Layer plain = net.build(Init.he(1));
      long tensor = 4L * images * net.width() * SIDE * SIDE;
      int stage = net.blocks() / 3;
      double arguments = Math.ceilDiv(stage, blocks) * (1 + 0.5 + 0.25);
      double bound = (arguments + 4 * blocks + 10) * tensor;
      long peak = peak(Fused.of(Recompute.every(blocks, plain)), x);
      assertTrue(peak < bound, "the peak is %s, but should be below %s".formatted(peak, bound));
      long all = peak(Fused.of(plain), x);
      assertTrue(all > 4 * stage * 1.75 * tensor, "without, the peak is " + all);
    }
  }

  /// About half the root of the number of blocks, and no fewer than one.
  @Test
  void theUsualSegmentIsNearTheBest() {
    assertEquals(12, CifarNet.named("resnet1202").usualRecompute());
    assertEquals(4, CifarNet.named("resnet110").usualRecompute());
    assertEquals(1, CifarNet.named("resnet8").usualRecompute());
    assertEquals(2, PhotoNet.named("resnet50").usualRecompute());
    try (var _ = Scope.open()) {
      Tensor x = images(2);
      Layer plain = net(110).build(Init.he(1));
      long usual = peak(Fused.of(Recompute.every(4, plain)), x);
      for (int other : List.of(1, 2, 8, 18)) {
        long peak = peak(Fused.of(Recompute.every(other, plain)), x);
        assertTrue(
            usual < 1.3 * peak, "%s with 4 blocks, %s with %s".formatted(usual, peak, other));
      }
    }
  }
}
