package fathom.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.RandomKey;
import java.lang.foreign.MemorySegment;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Laws of random erasing.
class ErasingTest {
  private static final int DRAWS = 10_000;

  /// Sides are rounded to whole pixels, so area and proportions may be beyond their ranges by what
  /// half a pixel of each side makes.
  @ParameterizedTest
  @CsvSource({"32, 32", "224, 224", "100, 300"})
  void areaAndProportionsAreInTheirRanges(int height, int width) {
    double area = height * width;
    double least = 1;
    double most = 0;
    for (int i = 0; i < DRAWS; i++) {
      Patch patch = Patch.erased(1, height, width, RandomKey.of(1, "erase").at(i));
      if (patch == null) {
        continue; // ten times too long or too wide
      }
      double h = patch.height();
      double w = patch.width();
      assertTrue((h + 0.5) * (w + 0.5) >= 0.02 * area, patch.toString());
      assertTrue((h - 0.5) * (w - 0.5) <= 0.33 * area, patch.toString());
      assertTrue((h + 0.5) / (w - 0.5) >= 0.3 && (h - 0.5) / (w + 0.5) <= 3.3, patch.toString());
      assertTrue(patch.top() >= 0 && patch.top() + patch.height() <= height, patch.toString());
      assertTrue(patch.left() >= 0 && patch.left() + patch.width() <= width, patch.toString());
      least = Math.min(least, h * w / area);
      most = Math.max(most, h * w / area);
    }
    assertTrue(least < 0.025 && most > 0.31, "areas from %s to %s".formatted(least, most));
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.1, 0.25, 0.5, 1})
  void itHappensAsOftenAsItShould(double probability) {
    long erased =
        IntStream.range(0, DRAWS)
            .filter(i -> Patch.erased(probability, 64, 64, RandomKey.of(2, "erase").at(i)) != null)
            .count();
    assertEquals(
        probability,
        erased / (double) DRAWS,
        4 * Math.sqrt(probability * (1 - probability) / DRAWS) + 1e-9);
  }

  /// The patch of a black image is filled with bytes of every size, and the rest stays; the mean of
  /// the bytes is 127.5 within five standard errors.
  @Test
  void thePatchIsFilledWithNoise() {
    var black = new Images(3, 32, 32, new byte[3 * 32 * 32], new int[1]);
    Normalization n =
        Normalization.of(new float[] {0.5f, 0.4f, 0.3f}, new float[] {0.25f, 0.5f, 1});
    float[] mean = {0.5f, 0.4f, 0.3f};
    float[] spread = {0.25f, 0.5f, 1};
    Augmentation how = Augmentation.NONE.erasing(1);
    double sum = 0;
    long filled = 0;
    for (int i = 0; i < 50; i++) {
      RandomKey key = RandomKey.of(3, "augment").at(i);
      float[] out = new float[3 * 32 * 32];
      var batch = new Loader.Batch(new int[1], new Rows(0, 1), how, key);
      new Loader(black, n).fill(MemorySegment.ofArray(out), batch);
      Patch patch = how.erased(black, key.at(0));
      for (int p = 0; p < 32 * 32; p++) {
        boolean inside =
            patch != null
                && p / 32 >= patch.top()
                && p / 32 < patch.top() + patch.height()
                && p % 32 >= patch.left()
                && p % 32 < patch.left() + patch.width();
        for (int c = 0; c < 3; c++) {
          double value = (out[3 * p + c] * spread[c] + mean[c]) * 255;
          assertEquals(Math.rint(value), value, 1e-3, "a byte");
          if (inside) {
            sum += value;
            filled++;
          } else {
            assertEquals(0, value, 1e-3);
          }
        }
      }
    }
    assertEquals(127.5, sum / filled, 5 * 73.9 / Math.sqrt((double) filled));
  }

  @Test
  void whatIsTooSmallStays() {
    for (int i = 0; i < 100; i++) {
      assertNull(Patch.erased(1, 1, 5, RandomKey.of(4, "erase").at(i)));
    }
    assertThrows(IllegalArgumentException.class, () -> Augmentation.NONE.erasing(1.5));
  }
}
