package fathom.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class NormalizationTest {
  private static final Images DIGITS = DataSet.open("digits").train().images();

  /// Two images of 2 channels, 1 row and 2 columns.
  private static final Images PAIR =
      new Images(2, 1, 2, new byte[] {0, 51, 10, 10, 102, (byte) 255, 10, 10}, new int[2]);

  private static float[] all(Images images, Normalization normalization) {
    float[] out = new float[images.pixels().length];
    int[] indices = IntStream.range(0, images.count()).toArray();
    new Loader(images, normalization)
        .fill(MemorySegment.ofArray(out), Loader.Batch.of(indices, new Rows(0, indices.length)));
    return out;
  }

  @Test
  void perPixelMeanByHand() {
    Normalization n = Normalization.perPixelMean(PAIR);
    assertArrayEquals(new float[] {0.2f, 0.6f, 10 / 255f, 10 / 255f}, n.mean(), 1e-7f);
    assertArrayEquals(new float[] {1, 1}, n.standardDeviation());
  }

  @Test
  void perChannelByHand() {
    // 0, 0.2, 0.4 and 1 have the mean 0.4 and the variance (0.16 + 0.04 + 0 + 0.36) / 4.
    Normalization n = Normalization.perChannel(PAIR);
    assertArrayEquals(new float[] {0.4f, 10 / 255f}, n.mean(), 1e-7f);
    assertArrayEquals(new float[] {(float) Math.sqrt(0.14), 1}, n.standardDeviation(), 1e-7f);
    float[] constant = all(PAIR, n);
    assertEquals(0, constant[1], 1e-7);
    assertEquals(-0.4 / Math.sqrt(0.14), constant[0], 1e-6);
  }

  @Test
  void perPixelMeanGivesMeanZeroAtEveryPixel() {
    float[] x = all(DIGITS, Normalization.perPixelMean(DIGITS));
    for (int p = 0; p < 64; p++) {
      double sum = 0;
      for (int i = p; i < x.length; i += 64) {
        sum += x[i];
      }
      assertEquals(0, sum / DIGITS.count(), 1e-5);
    }
  }

  @Test
  void perChannelGivesMeanZeroAndStandardDeviationOne() {
    float[] x = all(DIGITS, Normalization.perChannel(DIGITS));
    double sum = 0;
    double squares = 0;
    for (float v : x) {
      sum += v;
      squares += (double) v * v;
    }
    assertEquals(0, sum / x.length, 1e-5);
    assertEquals(1, Math.sqrt(squares / x.length), 1e-5);
  }

  @Test
  void isEqualByContentAndNotChangedFromOutside() {
    float[] mean = {0.5f};
    Normalization n = Normalization.of(mean, new float[] {2});
    assertEquals(n, Normalization.of(new float[] {0.5f}, new float[] {2}));
    assertEquals(n.hashCode(), Normalization.of(new float[] {0.5f}, new float[] {2}).hashCode());
    assertNotEquals(n, Normalization.of(new float[] {0.5f}, new float[] {3}));
    mean[0] = 9;
    n.mean()[0] = 9;
    assertEquals(0.5f, n.mean()[0]);
    assertEquals("mean [0.5], standard deviation [2.0]", n.toString());
  }

  @Test
  void zeroStandardDeviationBecomesOneAndNonsenseIsRefused() {
    float[] one = {1};
    assertArrayEquals(one, Normalization.of(one, new float[] {0}).standardDeviation());
    assertArrayEquals(one, Normalization.of(one, new float[] {-0f}).standardDeviation());
    for (float wrong : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
      assertThrows(
          IllegalArgumentException.class, () -> Normalization.of(one, new float[] {wrong}));
      assertThrows(
          IllegalArgumentException.class, () -> Normalization.of(new float[] {wrong}, one));
    }
    assertThrows(IllegalArgumentException.class, () -> Normalization.of(one, new float[] {-1}));
    assertThrows(IllegalArgumentException.class, () -> Normalization.of(one, new float[0]));
    Images none = DIGITS.take(0);
    assertThrows(IllegalArgumentException.class, () -> Normalization.perPixelMean(none));
    assertThrows(IllegalArgumentException.class, () -> Normalization.perChannel(none));
  }

  @Test
  void mustSuitTheImages() {
    Normalization three = Normalization.of(new float[3], new float[3]);
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> new Loader(DIGITS, three));
    assertTrue(
        String.valueOf(e)
            .contains("need 1 or 64 values for the mean, but the normalization has 3"));
  }
}
