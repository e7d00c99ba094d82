package fathom.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.RandomKey;
import fathom.Scope;
import fathom.data.Mixing.Mix;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Laws of mixup and CutMix.
class MixingTest {
  private static final int COUNT = 9;
  private static final int DRAWS = 10_000;
  private static final RandomKey KEY = RandomKey.of(3, "augment").at(2);
  private static final Images IMAGES = images();
  private static final Normalization PLAIN = Normalization.of(new float[3], new float[3]);

  /// All values of image i are between 25·i and 25·i + 24.
  private static Images images() {
    byte[] pixels = new byte[COUNT * 3 * 8 * 6];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (byte) (25 * (i / (3 * 8 * 6)) + RandomKey.of(1, "pixels").below(i, 25));
    }
    return new Images(3, 8, 6, pixels, IntStream.range(0, COUNT).toArray());
  }

  private static Loader.Batch batch(Rows rows, Augmentation how) {
    return new Loader.Batch(new int[] {4, 0, 8, 3, 1, 7, 2, 6, 5}, rows, how, KEY);
  }

  private static double[] loaded(Rows own, Rows whole, Augmentation how, Mix mix) {
    try (var _ = Scope.open()) {
      return new Loader(IMAGES, PLAIN).images(batch(own, how), whole, mix).toDoubles();
    }
  }

  /// The result of a row is the same to the bit, whoever has it: with mixup, CutMix, and all that
  /// changes an image before.
  @ParameterizedTest
  @CsvSource({"1, 9", "2, 9", "3, 9", "4, 9", "9, 9", "2, 8", "5, 3"})
  void theNumberOfWorkersChangesNothing(int workers, int size) {
    Augmentation how = new Augmentation(2, true).with(new Policy.TrivialAugment()).erasing(0.5);
    Rows whole = new Rows(0, size);
    for (Mix mix : new Mix[] {new Mix(0.3, null), new Mix(0.75, new Patch(1, 2, 3, 4))}) {
      double[] alone = loaded(whole, whole, how, mix);
      double[] together = new double[0];
      for (int rank = 0; rank < workers; rank++) {
        double[] share = loaded(whole.share(rank, workers), whole, how, mix);
        int before = together.length;
        together = Arrays.copyOf(together, before + share.length);
        System.arraycopy(share, 0, together, before, share.length);
      }
      assertArrayEquals(alone, together);
    }
  }

  @Test
  void mixupIsTheWeightedMeanOfARowAndItsMirror() {
    Rows whole = new Rows(2, 7);
    double[] plain = loaded(whole, whole, Augmentation.NONE, Mix.NONE);
    double[] mixed = loaded(whole, whole, Augmentation.NONE, new Mix(0.25, null));
    int size = IMAGES.size();
    for (int i = 0; i < mixed.length; i++) {
      int partner = (4 - i / size) * size + i % size;
      assertEquals(0.25 * plain[i] + 0.75 * plain[partner], mixed[i], 1e-7);
    }
  }

  /// Ranges of values tell from which image a pixel comes: exactly 1 − λ of them, after clipping,
  /// are the partner's.
  @Test
  void theShareOfCutMixIsExactlyItsArea() {
    Rows whole = new Rows(0, 2);
    int size = IMAGES.size();
    var mixing = new Mixing(0, 1);
    int clipped = 0;
    for (int i = 0; i < 300; i++) {
      Mix mix = mixing.of(RandomKey.of(5, "mixing").at(i), 8, 6);
      Patch patch = mix.patch();
      assertNotNull(patch);
      clipped += patch.height() % 2 != 0 || patch.width() % 2 != 0 ? 1 : 0;
      double[] values = loaded(whole, whole, Augmentation.NONE, mix);
      for (int row = 0; row < 2; row++) {
        int own = row == 0 ? 4 : 0;
        long kept =
            Arrays.stream(values, row * size, (row + 1) * size)
                .filter(v -> (int) Math.rint(v * 255) / 25 == own)
                .count();
        assertEquals(mix.lambda(), kept / (double) size, 1e-15);
      }
    }
    assertTrue(clipped > 50, "only %s patches were clipped".formatted(clipped));
  }

  /// As the paper's code cuts: √0.75 of 8 and 6 is 6.9 and 5.2, so that 6 rows and 4 columns lie
  /// around the centre, where the image has them.
  @ParameterizedTest
  @CsvSource({"4, 3, 1, 1, 6, 4", "0, 0, 0, 0, 3, 2", "7, 5, 4, 3, 4, 3"})
  void aPatchIsClippedToTheImage(int y, int x, int top, int left, int height, int width) {
    assertEquals(new Patch(top, left, height, width), Patch.cut(0.25, 8, 6, y, x));
  }

  @Test
  void aShareOfOneIsTheIdentity() {
    Rows whole = new Rows(0, COUNT);
    double[] plain = loaded(whole, whole, Augmentation.CIFAR, Mix.NONE);
    assertArrayEquals(plain, loaded(whole, whole, Augmentation.CIFAR, new Mix(1, null)));
    assertEquals(0, Patch.cut(1, 8, 6, 3, 3).area());
    float[] image = {1, 2, 3};
    new Mix(1, null).into(image, new float[] {7, 8, 9}, 1, 3);
    assertArrayEquals(new float[] {1, 2, 3}, image);
  }

  /// Beta(α, α) has the mean ½ and the variance 1/(4(2α + 1)); both within five standard errors.
  @ParameterizedTest
  @ValueSource(doubles = {0.1, 0.2, 1, 4, 100})
  void lambdaHasTheMomentsOfItsDistribution(double alpha) {
    double[] drawn =
        IntStream.range(0, DRAWS)
            .mapToDouble(i -> Mixing.beta(RandomKey.of(6, "beta").at(i), alpha))
            .toArray();
    double variance = 1 / (4 * (2 * alpha + 1));
    double mean = Arrays.stream(drawn).average().orElseThrow();
    assertEquals(0.5, mean, 5 * Math.sqrt(variance / DRAWS));
    double found = Arrays.stream(drawn).map(v -> (v - 0.5) * (v - 0.5)).average().orElseThrow();
    assertEquals(variance, found, 5 * Math.sqrt(2) * variance / Math.sqrt(DRAWS));
    assertTrue(Arrays.stream(drawn).allMatch(v -> v >= 0 && v <= 1));
  }

  /// So small an α draws from numbers that are all 0 in double precision; λ is still 0 or 1.
  @Test
  void theSmallestAlphasHaveAShareToo() {
    double[] drawn =
        IntStream.range(0, 1000)
            .mapToDouble(i -> Mixing.beta(RandomKey.of(6, "beta").at(i), 1e-5))
            .toArray();
    assertTrue(Arrays.stream(drawn).allMatch(v -> v >= 0 && v <= 1));
    assertEquals(0.5, Arrays.stream(drawn).average().orElseThrow(), 0.08);
  }

  /// Mixed with 1 − λ, the labels of a batch keep their sum: their mean is that of the batch.
  @Test
  void theMeanOfTheLabelsStays() {
    Rows whole = new Rows(0, COUNT);
    double lambda = 0.3;
    double[] mean = new double[COUNT];
    for (int rank = 0; rank < 2; rank++) {
      Rows own = whole.share(rank, 2);
      Rows partners = Mix.partners(own, whole);
      for (int i = 0; i < own.count(); i++) {
        mean[own.from() + i] += lambda / COUNT;
        mean[partners.to() - 1 - i] += (1 - lambda) / COUNT;
      }
    }
    for (double each : mean) {
      assertEquals(1.0 / COUNT, each, 1e-15);
    }
  }

  @Test
  void withBothEachBatchTakesOneOfThem() {
    int cut = 0;
    for (int i = 0; i < DRAWS; i++) {
      cut += new Mixing(0.2, 1).of(RandomKey.of(7, "mixing").at(i), 8, 8).patch() == null ? 0 : 1;
    }
    assertEquals(0.5, cut / (double) DRAWS, 5 * 0.5 / Math.sqrt(DRAWS));
    assertNull(new Mixing(0.2, 0).of(KEY, 8, 8).patch());
    assertSame(Mix.NONE, Mixing.NONE.of(KEY, 8, 8));
  }

  @ParameterizedTest
  @ValueSource(doubles = {-0.1, Double.NaN, Double.POSITIVE_INFINITY})
  void whatIsNoAlphaIsRefused(double alpha) {
    assertThrows(IllegalArgumentException.class, () -> new Mixing(alpha, 0));
    assertThrows(IllegalArgumentException.class, () -> new Mixing(0, alpha));
  }
}
