package fathom.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.RandomKey;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The colour augmentation of Krizhevsky et al. 2012, section 4.1, against its definition.
class LightingTest {
  /// λ and P as published for Torch, here column by column: pᵢ is row i.
  private static final double[] LAMBDA = {0.2175, 0.0188, 0.0045};

  private static final double[][] P = {
    {-0.5675, -0.5808, -0.5836}, {0.7192, -0.0045, -0.6948}, {0.4009, -0.8140, 0.4203}
  };

  private static final RandomKey KEY = RandomKey.of(5, "lighting");

  /// They are principal components: of length 1 and at right angles, to the four digits that they
  /// have.
  @Test
  void theComponentsAreOrthonormal() {
    for (int i = 0; i < 3; i++) {
      for (int j = 0; j < 3; j++) {
        double product = 0;
        for (int c = 0; c < 3; c++) {
          product += P[i][c] * P[j][c];
        }
        assertEquals(i == j ? 1 : 0, product, 2e-4, i + ", " + j);
      }
    }
  }

  /// α₁λ₁p₁ + α₂λ₂p₂ + α₃λ₃p₃, with the three normal numbers of the key.
  @ParameterizedTest
  @ValueSource(doubles = {0.1, 1})
  void theShiftIsASumOfComponents(double deviation) {
    for (int k = 0; k < 100; k++) {
      double[] expected = new double[3];
      for (int i = 0; i < 3; i++) {
        double alpha = deviation * KEY.at(k).normal(i);
        for (int c = 0; c < 3; c++) {
          expected[c] += alpha * LAMBDA[i] * P[i][c];
        }
      }
      float[] shift = Lighting.shift(deviation, KEY.at(k));
      for (int c = 0; c < 3; c++) {
        assertEquals(expected[c], shift[c], 1e-7, "image " + k);
      }
    }
  }

  /// Over many images the shift along pᵢ has mean 0 and standard deviation σλᵢ, within five
  /// standard errors.
  @Test
  void itsSpreadAlongEachComponentIsItsEigenvalue() {
    int images = 20_000;
    for (int i = 0; i < 3; i++) {
      double sum = 0;
      double squares = 0;
      for (int k = 0; k < images; k++) {
        float[] shift = Lighting.shift(0.1, KEY.at(k));
        double along = P[i][0] * shift[0] + P[i][1] * shift[1] + P[i][2] * shift[2];
        sum += along;
        squares += along * along;
      }
      double sigma = 0.1 * LAMBDA[i];
      assertEquals(0, sum / images, 5 * sigma / Math.sqrt(images));
      assertEquals(sigma, Math.sqrt(squares / images), 0.03 * sigma);
    }
  }

  private static float[] loaded(Images images, Normalization n, Augmentation how) {
    float[] out = new float[images.size()];
    var batch = new Loader.Batch(new int[1], new Rows(0, 1), how, KEY);
    new Loader(images, n).fill(MemorySegment.ofArray(out), batch);
    return out;
  }

  /// Every pixel of an image is shifted alike before it is normalized, by the channel's shift over
  /// the channel's standard deviation, and the border, which stands for the mean, is not.
  @Test
  void everyPixelOfAnImageIsShiftedAlike() {
    byte[] bytes = new byte[3 * 6 * 5];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) KEY.below(i, 256);
    }
    var images = new Images(3, 6, 5, bytes, new int[1]);
    float[] deviation = {0.25f, 0.5f, 1};
    Normalization n = Normalization.of(new float[] {0.5f, 0.4f, 0.3f}, deviation);
    for (Augmentation plain : new Augmentation[] {Augmentation.NONE, new Augmentation(2, true)}) {
      float[] before = loaded(images, n, plain);
      float[] after = loaded(images, n, plain.lit(0.1));
      float[] shift = plain.lit(0.1).shift(images, KEY.at(0));
      int changed = 0;
      for (int i = 0; i < before.length; i++) {
        if (before[i] != after[i]) {
          changed++;
          assertEquals(shift[i % 3] / deviation[i % 3], after[i] - before[i], 1e-6);
        }
      }
      assertTrue(changed > before.length / 4, "only %s were changed".formatted(changed));
      assertEquals(plain.pad() == 0, changed == before.length, "a border is not lit");
      assertArrayEquals(before, loaded(images, n, plain.lit(0)));
    }
  }

  @Test
  void onlyColoursAreLit() {
    var grey = new Images(1, 2, 2, new byte[4], new int[1]);
    Normalization n = Normalization.of(new float[1], new float[] {1});
    var e =
        assertThrows(
            IllegalArgumentException.class, () -> loaded(grey, n, Augmentation.NONE.lit(0.1)));
    assertTrue(e.getMessage().contains("have 1 channel;"), e.getMessage());
    assertThrows(IllegalArgumentException.class, () -> Augmentation.NONE.lit(-1));
    assertThrows(IllegalArgumentException.class, () -> Augmentation.NONE.lit(Double.NaN));
  }
}
