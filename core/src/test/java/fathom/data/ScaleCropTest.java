package fathom.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.RandomKey;
import fathom.data.Orientation.Box;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The scale augmentation of the residual paper, section 3.4: "resized with its shorter side
/// randomly sampled in [256, 480]", and "a 224×224 crop is randomly sampled from an image".
class ScaleCropTest {
  private static final int DRAWS = 20_000;
  private static final RandomKey KEY = RandomKey.of(3, "scale");

  /// The part is 224/s of the shorter side for a whole s from 256 to 480, each as likely; it lies
  /// inside, at every place, and has the image's proportions.
  @ParameterizedTest
  @CsvSource({"500, 375", "375, 500", "224, 224", "4000, 100"})
  void thePartIsThatOfAShorterSideFrom256To480(int width, int height) {
    int[] counts = new int[481];
    double left = 1;
    double right = 0;
    for (int i = 0; i < DRAWS; i++) {
      Box box = CropRegion.scaled(224, KEY.at(i)).of(width, height);
      double shorter =
          224.0
              * Math.min(width, height)
              / Math.min(
                  width <= height ? box.width() : Double.MAX_VALUE,
                  height <= width ? box.height() : Double.MAX_VALUE);
      assertEquals(Math.rint(shorter), shorter, 1e-6, "whole pixels");
      counts[(int) Math.rint(shorter)]++;
      assertTrue(box.left() >= 0 && box.left() + box.width() <= width + 1e-9, box.toString());
      assertTrue(box.top() >= 0 && box.top() + box.height() <= height + 1e-9, box.toString());
      assertEquals(1, box.width() / box.height(), 0.05, "a square, but for whole pixels");
      left = Math.min(left, box.left() / width);
      right = Math.max(right, (box.left() + box.width()) / width);
    }
    double expected = DRAWS / 225.0;
    for (int s = 256; s <= 480; s++) {
      assertEquals(expected, counts[s], 5.5 * Math.sqrt(expected), "length " + s);
    }
    assertTrue(left < 0.01 && right > 0.99, "from %s to %s".formatted(left, right));
  }

  /// Of other sides than 224 the lengths are in proportion.
  @Test
  void otherSidesHaveLengthsInProportion() {
    assertEquals(256, Photos.shortest(224));
    assertEquals(480, Photos.longest(224));
    assertEquals(128, Photos.shortest(112));
    assertEquals(240, Photos.longest(112));
    for (int i = 0; i < 1000; i++) {
      double share = 16 / CropRegion.scaled(16, KEY.at(i)).of(100, 100).width() * 100;
      assertTrue(share >= 18 && share <= 34, "16 of a shorter side of " + share);
    }
  }

  @Test
  void onlyPartsAreDrawnByScale() {
    assertThrows(IllegalArgumentException.class, () -> Augmentation.CIFAR.scaled());
    assertTrue(Augmentation.PHOTOS.scaled().scale());
  }
}
