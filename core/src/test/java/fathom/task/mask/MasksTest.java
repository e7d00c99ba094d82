package fathom.task.mask;

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
import fathom.data.MaskImage;
import fathom.data.MaskSet;
import fathom.loss.PixelLoss;
import fathom.net.MaskNet;
import fathom.net.Norm;
import fathom.nn.Init;
import fathom.optim.Schedule;
import fathom.task.Figures;
import fathom.train.Listener;
import fathom.train.Moment;
import fathom.train.Trainer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class MasksTest {
  /// A bright rectangle on a noisy ground, of sizes that are no multiples of anything.
  private static MaskImage image(int i) {
    RandomKey key = RandomKey.of(4, "rectangles").at(i);
    int height = 19 + key.below(0, 5);
    int width = 22 + key.below(1, 6);
    int top = key.below(2, 10);
    int left = key.below(3, 10);
    byte[] pixels = new byte[height * width];
    byte[] mask = new byte[height * width];
    for (int p = 0; p < pixels.length; p++) {
      int y = p / width;
      int x = p % width;
      boolean inside = y >= top && y < top + 7 && x >= left && x < left + 9;
      mask[p] = (byte) (inside ? 1 : 0);
      pixels[p] = (byte) ((inside ? 130 : 60) + key.below(10 + p, 60));
    }
    return new MaskImage("image" + i, 1, height, width, pixels, mask);
  }

  private static MaskSet set() {
    var images = new ArrayList<MaskImage>();
    for (int i = 0; i < 40; i++) {
      images.add(image(i));
    }
    return new MaskSet(
        "rectangles",
        List.of("background", "rectangle"),
        images.subList(0, 30),
        null,
        images.subList(30, 40));
  }

  private static Masks task() {
    return Masks.of(set()).multiple(4).side(16).tolerance(1);
  }

  private static Layer net(Init init) {
    return MaskNet.of(1, 2).withLevels(2).withWidth(4).build(init);
  }

  @Test
  void itFindsRectangles() {
    var sections = new ArrayList<Integer>();
    var trained =
        Trainer.of(MasksTest::net, task())
            .schedule(Schedule.cosine(0.02))
            .epochs(12)
            .batch(6)
            .workers(2)
            .listen(
                new Listener() {
                  @Override
                  public void end(Moment now, Outcome outcome) {
                    now.sections().forEach(s -> s.rows().forEach(r -> sections.add(r.size())));
                  }
                })
            .fit();
    Figures test = trained.outcome().test();
    assertEquals(10, test.count());
    assertTrue(test.get("iou") > 80, "iou " + test);
    assertTrue(test.get("f") > 90, "f " + test);
    assertTrue(sections.size() >= 4, "rows " + sections);
    assertTrue(sections.stream().allMatch(columns -> columns == 3), "image, truth, prediction");
  }

  private static double[] gradients(int workers, PixelLoss loss) {
    var gradients = new ArrayList<double[]>();
    Trainer.of(
            init -> MaskNet.of(1, 2).withLevels(1).withWidth(4).withNorm(Norm.GROUP).build(init),
            task().by(loss))
        .epochs(1)
        .batch(15)
        .workers(workers)
        .listen(
            new Listener() {
              @Override
              public void gradients(Moment now) {
                try (var _ = Scope.open()) {
                  gradients.add(now.params().gradient().toDoubles());
                }
              }
            })
        .fit();
    return gradients.getFirst();
  }

  @Test
  void workersShareABatch() {
    for (PixelLoss loss : List.of(Masks.balanced(set()), PixelLoss.dice(2))) {
      double[] one = gradients(1, loss);
      assertArrayEquals(one, gradients(2, loss), 1e-5);
      assertArrayEquals(one, gradients(3, loss), 1e-5);
    }
  }

  /// The plain twin has the same parameters, and nothing else in common.
  @Test
  void everySizeOfAnImageIsThatOfItsScores() {
    try (var _ = Scope.open()) {
      for (MaskNet of : List.of(MaskNet.of(3, 4), MaskNet.of(3, 4).plain())) {
        Layer net = of.build(Init.he(1));
        Tensor x = Tensor.normal(RandomKey.of(1, "x"), DType.FLOAT32, 2, 3, 16, 40);
        assertEquals(Shape.of(2, 4, 16, 40), net.predict(x).shape());
        assertEquals(Shape.of(2, 4, 16, 40), net.shape(x.shape()));
      }
      assertEquals(
          MaskNet.of(3, 4).build(Init.he(1)).state().keySet(),
          MaskNet.of(3, 4).plain().build(Init.he(1)).state().keySet());
    }
  }

  @Test
  void whatDoesNotFitIsRefused() {
    var e = assertThrows(IllegalArgumentException.class, () -> task().side(18));
    assertTrue(e.getMessage().contains("multiple of 4"), e.getMessage());
    assertThrows(IllegalArgumentException.class, () -> task().by(PixelLoss.dice(3)));
    assertThrows(IllegalArgumentException.class, () -> MaskNet.of(1, 2).withNorm(Norm.LAYER));
  }
}
