package fathom.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.RandomKey;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class LoaderTest {
  private static final int COUNT = 40;
  private static final Images IMAGES = images(3, 5, 6);
  private static final int SIZE = IMAGES.size();
  private static final RandomKey KEY = RandomKey.of(3, "augment").at(2);

  private static Images images(int channels, int height, int width) {
    byte[] pixels = new byte[COUNT * channels * height * width];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (byte) RandomKey.of(1, "pixels").bits(i);
    }
    return new Images(channels, height, width, pixels, IntStream.range(0, COUNT).toArray());
  }

  private static Images mirrored(Images images) {
    byte[] pixels = images.pixels().clone();
    int w = images.width();
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = images.pixels()[i / w * w + (w - 1 - i % w)];
    }
    return new Images(images.channels(), images.height(), w, pixels, images.labels());
  }

  private static float[] load(
      Images images,
      Normalization n,
      int[] indices,
      int from,
      int to,
      Augmentation a,
      RandomKey key) {
    float[] out = new float[(to - from) * images.size()];
    new Loader(images, n)
        .fill(MemorySegment.ofArray(out), new Loader.Batch(indices, new Rows(from, to), a, key));
    return out;
  }

  private static float[] one(
      Images images, Normalization n, int index, Augmentation a, RandomKey key) {
    return load(images, n, new int[] {index}, 0, 1, a, key);
  }

  private static Normalization plain(Images images) {
    return Normalization.of(new float[images.channels()], new float[images.channels()]);
  }

  /// What [Loader] must do, step by step: normalise, pad with zeros, mirror, crop.
  private static float[] specification(
      Images images, Normalization n, int index, Augmentation a, RandomKey key) {
    int p = a.pad();
    int h = images.height();
    int w = images.width();
    int top = key.at(index).below(0, 2 * p + 1);
    int left = key.at(index).below(1, 2 * p + 1);
    boolean flip = a.flip() && key.at(index).bits(2) < 0;
    float[] out = new float[images.size()];
    for (int c = 0; c < images.channels(); c++) {
      float[][] padded = new float[h + 2 * p][w + 2 * p];
      for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++) {
          int at = (c * h + y) * w + x;
          float v = Byte.toUnsignedInt(images.pixels()[index * images.size() + at]) / 255f;
          padded[p + y][p + x] = (v - n.meanOf(images)[at]) / n.standardDeviationOf(images)[at];
        }
      }
      for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++) {
          int column = flip ? w - 1 - x : x;
          out[(y * w + x) * images.channels() + c] = padded[top + y][left + column];
        }
      }
    }
    return out;
  }

  @Test
  void agreesWithTheSpecification() {
    Augmentation[] augmentations = {
      Augmentation.NONE,
      Augmentation.CIFAR,
      new Augmentation(2, false),
      new Augmentation(0, true),
      new Augmentation(20, true)
    };
    for (Images images : new Images[] {IMAGES, images(1, 7, 3), images(2, 1, 1)}) {
      for (Normalization n :
          new Normalization[] {
            plain(images), Normalization.perPixelMean(images), Normalization.perChannel(images)
          }) {
        for (Augmentation a : augmentations) {
          for (int i = 0; i < COUNT; i++) {
            assertArrayEquals(specification(images, n, i, a, KEY), one(images, n, i, a, KEY));
          }
        }
      }
    }
  }

  /// Three means and deviations are for images of any size, so they are spread anew for another.
  @Test
  void aLoaderOfOtherImagesNormalisesThemAlike() {
    var normalization =
        Normalization.of(new float[] {0.1f, 0.2f, 0.3f}, new float[] {0.4f, 0.5f, 0.6f});
    var loader = new Loader(mirrored(IMAGES), normalization);
    int[] order = {3, 1};
    for (Images images : List.of(IMAGES, images(3, 6, 5), images(3, 2, 2))) {
      try (var _ = Scope.open()) {
        assertArrayEquals(
            new Loader(images, normalization).images(order, new Rows(0, 2)).toDoubles(),
            loader.of(images).images(order, new Rows(0, 2)).toDoubles());
      }
    }
    assertThrows(IllegalArgumentException.class, () -> loader.of(images(2, 5, 6)));
  }

  @Test
  void paddingIsZeroInTheNormalisedImage() {
    Images black = new Images(1, 4, 4, new byte[16], new int[1]);
    Normalization n = Normalization.of(new float[] {0.5f}, new float[] {0.25f});
    boolean padded = false;
    for (int epoch = 0; epoch < 20; epoch++) {
      for (float v : one(black, n, 0, new Augmentation(2, false), KEY.at(epoch))) {
        assertTrue(v == 0 || v == -2);
        padded |= v == 0;
      }
    }
    assertTrue(padded);
  }

  @Test
  void everyCropAndFlipOccursEquallyOften() {
    // A 9×9 image with one bright pixel off the middle: where it is tells crop and flip.
    byte[] pixels = new byte[81];
    pixels[4 * 9 + 1] = (byte) 255;
    Images dot = new Images(1, 9, 9, pixels, new int[1]);
    int[] counts = new int[81];
    int draws = 18_000;
    for (int epoch = 0; epoch < draws; epoch++) {
      float[] x = one(dot, plain(dot), 0, new Augmentation(1, true), KEY.at(epoch));
      for (int p = 0; p < 81; p++) {
        counts[p] += (int) x[p];
      }
    }
    int[] seen = Arrays.stream(counts).filter(c -> c > 0).toArray();
    assertEquals(18, seen.length);
    assertEquals(draws, Arrays.stream(seen).sum());
    for (int c : seen) {
      assertEquals(1000, c, 5 * Math.sqrt(1000));
    }
  }

  @Test
  void aFlipOfAFlipIsTheImage() {
    Augmentation flips = new Augmentation(0, true);
    Images mirrored = mirrored(IMAGES);
    assertEquals(IMAGES, mirrored(mirrored));
    int flipped = 0;
    for (int i = 0; i < COUNT; i++) {
      float[] image = one(IMAGES, plain(IMAGES), i, Augmentation.NONE, KEY);
      if (!Arrays.equals(image, one(IMAGES, plain(IMAGES), i, flips, KEY))) {
        assertArrayEquals(image, one(mirrored, plain(IMAGES), i, flips, KEY));
        flipped++;
      }
    }
    assertTrue(flipped > 8 && flipped < 32, flipped + " of 40");
  }

  @Test
  void workersTogetherMakeTheBatch() {
    Epochs epochs = new Epochs(5, COUNT, 16);
    int[] order = epochs.order(1);
    Normalization n = Normalization.perPixelMean(IMAGES);
    for (int b = 0; b < epochs.batches(); b++) {
      Rows batch = epochs.batch(b);
      float[] whole =
          load(IMAGES, n, order, batch.from(), batch.to(), Augmentation.CIFAR, epochs.augment(1));
      for (int workers : new int[] {1, 2, 3, 7, 30}) {
        for (int rank = 0; rank < workers; rank++) {
          Rows share = batch.share(rank, workers);
          assertArrayEquals(
              Arrays.copyOfRange(
                  whole, (share.from() - batch.from()) * SIZE, (share.to() - batch.from()) * SIZE),
              load(
                  IMAGES,
                  n,
                  order,
                  share.from(),
                  share.to(),
                  Augmentation.CIFAR,
                  epochs.augment(1)));
        }
      }
    }
  }

  @Test
  void aImageIsVariedAlikeWhereverItStands() {
    Normalization n = plain(IMAGES);
    float[] alone = one(IMAGES, n, 9, Augmentation.CIFAR, KEY);
    float[] third = load(IMAGES, n, new int[] {4, 8, 9}, 0, 3, Augmentation.CIFAR, KEY);
    assertArrayEquals(alone, Arrays.copyOfRange(third, 2 * SIZE, 3 * SIZE));
  }

  @Test
  void writesIntoNativeMemoryAndNotBeyond() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(4L * (2 * SIZE + 1), 64);
      out.set(ValueLayout.JAVA_FLOAT, 4L * 2 * SIZE, 42);
      Loader loader = new Loader(IMAGES, plain(IMAGES));
      loader.fill(out, Loader.Batch.of(new int[] {7, 0, 3}, new Rows(1, 3)));
      float[] expected =
          load(IMAGES, plain(IMAGES), new int[] {0, 3}, 0, 2, Augmentation.NONE, KEY);
      assertArrayEquals(expected, Arrays.copyOf(out.toArray(ValueLayout.JAVA_FLOAT), 2 * SIZE));
      assertEquals(42, out.get(ValueLayout.JAVA_FLOAT, 4L * 2 * SIZE));
      loader.fill(out.asSlice(0, 0), Loader.Batch.of(new int[] {7}, new Rows(1, 1)));
    }
  }

  @Test
  void labelsFollowTheIndices() {
    int[] labels =
        new Loader(IMAGES, plain(IMAGES)).labels(new int[] {5, 31, 2, 9}, new Rows(1, 3));
    assertArrayEquals(new int[] {31, 2}, labels);
  }

  @Test
  void imagesAreTheFilledRowsWithChannelsInnermost() {
    Loader loader = new Loader(IMAGES, plain(IMAGES));
    int[] order = {7, 0, 3};
    float[] expected = load(IMAGES, plain(IMAGES), order, 1, 3, Augmentation.CIFAR, KEY);
    try (var _ = Scope.open()) {
      Tensor images =
          loader.images(new Loader.Batch(order, new Rows(1, 3), Augmentation.CIFAR, KEY));
      assertEquals(Shape.of(2, IMAGES.channels(), IMAGES.height(), IMAGES.width()), images.shape());
      assertArrayEquals(expected, images.segment().toArray(ValueLayout.JAVA_FLOAT));
    }
  }

  @Test
  void rowsMustFitAndExist() {
    Loader loader = new Loader(IMAGES, plain(IMAGES));
    MemorySegment one = MemorySegment.ofArray(new float[SIZE]);
    assertThrows(IllegalArgumentException.class, () -> fill(loader, one, new int[] {0, 1}, 2));
    assertThrows(IndexOutOfBoundsException.class, () -> fill(loader, one, new int[] {0}, 2));
    assertThrows(IndexOutOfBoundsException.class, () -> fill(loader, one, new int[] {COUNT}, 1));
    assertThrows(IllegalArgumentException.class, () -> new Augmentation(-1, false));
    assertThrows(IllegalArgumentException.class, () -> new Augmentation(Integer.MAX_VALUE, false));
  }

  private static void fill(Loader loader, MemorySegment out, int[] indices, int to) {
    loader.fill(out, Loader.Batch.of(indices, new Rows(0, to)));
  }
}
