package fathom.data;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import fathom.DType;
import fathom.RandomKey;
import fathom.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Loads normalised and augmented images as tensors. Any number of threads may use one loader at a
/// time, until one of them calls [#expect].
public final class Loader {
  /// The value `v / 255` for each value `v` of a byte.
  private static final float[] UNIT = new float[256];

  static {
    for (int v = 0; v < UNIT.length; v++) {
      UNIT[v] = v / 255f;
    }
  }

  /// The most memory that decoded photos may take while they wait to be used.
  private static final long MOST_PREFETCHED_BYTES = 1 << 27;

  private static final int MOST_PREFETCHED = 512;

  private final LabelledImages source;
  private final Normalization normalization;
  private final float[] mean;
  private final float[] standardDeviation;
  private final @Nullable Prefetcher prefetcher;

  /// A request for a batch: the images `order[rows.from()] .. order[rows.to()-1]`, each augmented
  /// with the random key that `augment` has for the image's index, or, if `byPlace`, for its place
  /// in the order. The latter is for an order that has an image several times, each time varied
  /// anew.
  public record Batch(
      int[] order, Rows rows, Augmentation augmentation, RandomKey augment, boolean byPlace) {
    /// Makes a request for images that are augmented by their indices.
    public Batch(int[] order, Rows rows, Augmentation augmentation, RandomKey augment) {
      this(order, rows, augmentation, augment, false);
    }

    /// The random key of the image at this place in the order.
    RandomKey key(int place) {
      return augment.at(byPlace ? place : order[place]);
    }

    /// Returns a request for images without augmentation.
    public static Batch of(int[] order, Rows rows) {
      return new Batch(order, rows, Augmentation.NONE, new RandomKey(0));
    }
  }

  /// Throws `IllegalArgumentException` if the normalization is for images of another size.
  public Loader(LabelledImages source, Normalization normalization) {
    this(
        source,
        normalization,
        normalization.meanOf(source),
        normalization.standardDeviationOf(source));
  }

  private Loader(
      LabelledImages source, Normalization normalization, float[] mean, float[] standardDeviation) {
    this.source = source;
    this.normalization = normalization;
    this.mean = mean;
    this.standardDeviation = standardDeviation;
    this.prefetcher = source instanceof Photos photos ? photos.prefetcher() : null;
  }

  /// Returns a loader of other images with the same normalization. For images of the same size it
  /// takes nothing but itself, which counts where every image comes alone. Throws
  /// `IllegalArgumentException` if the normalization is for images of another size.
  public Loader of(LabelledImages images) {
    boolean same =
        images.channels() == source.channels()
            && images.height() == source.height()
            && images.width() == source.width();
    return same
        ? new Loader(images, normalization, mean, standardDeviation)
        : new Loader(images, normalization);
  }

  /// Returns the normalization that all images get.
  public Normalization normalization() {
    return normalization;
  }

  /// Announces which batches will be asked for, in this order and by this thread alone, so that
  /// photos are decoded ahead, those of about two batches. An earlier announcement is dropped.
  /// Announcing changes no batch.
  public void expect(Iterator<Batch> batches) {
    if (prefetcher != null) {
      prefetcher.expect(
          batches, Math.clamp(MOST_PREFETCHED_BYTES / source.size(), 1, MOST_PREFETCHED));
    }
  }

  /// Returns the images `order[rows.from()] .. order[rows.to()-1]` without augmentation, as an
  /// N×C×H×W float32 tensor, channels innermost, in the innermost scope.
  public Tensor images(int[] order, Rows rows) {
    return images(Batch.of(order, rows));
  }

  /// Returns the images of a batch in the same form, with the batch's augmentation.
  public Tensor images(Batch batch) {
    Rows rows = batch.rows;
    Tensor images =
        Tensor.emptyImages(
            DType.FLOAT32, rows.count(), source.channels(), source.height(), source.width());
    fill(images.segment(), batch);
    return images;
  }

  /// Returns the images of a worker's share of a batch, each mixed with its partner; both are
  /// augmented as the batch says. With several workers a partner mostly belongs to another one, and
  /// is read here again: it is a function of the image's index and the key, so the result does not
  /// depend on the workers, and none waits for another.
  ///
  /// If the loader was told what it will be asked for, it expects the images of `own` and then, if
  /// they are others, those of [Mixing.Mix#partners].
  ///
  /// @param own the share
  /// @param whole the rows of the whole batch
  public Tensor images(Batch own, Rows whole, Mixing.Mix mix) {
    Tensor images = images(own);
    if (!mix.isNone()) {
      mix(images.segment(), own, Mixing.Mix.partners(own.rows, whole), mix);
    }
    return images;
  }

  private void mix(MemorySegment images, Batch own, Rows partners, Mixing.Mix mix) {
    int count = partners.count();
    boolean together = partners.equals(own.rows);
    float[] image = new float[source.size()];
    float[] partner = new float[source.size()];
    for (int i = 0; i < (together ? Math.ceilDiv(count, 2) : count); i++) {
      int at = count - 1 - i;
      copy(images, at, image);
      if (together) {
        copy(images, i, partner);
        float[] before = partner.clone();
        mix.into(partner, image, source.width(), source.channels());
        copy(partner, images, i);
        mix.into(image, before, source.width(), source.channels());
      } else {
        read(partner, own, partners.from() + i);
        mix.into(image, partner, source.width(), source.channels());
      }
      copy(image, images, at);
    }
  }

  private static void copy(MemorySegment from, int row, float[] to) {
    MemorySegment.copy(from, JAVA_FLOAT_UNALIGNED, 4L * to.length * row, to, 0, to.length);
  }

  private static void copy(float[] from, MemorySegment to, int row) {
    MemorySegment.copy(from, 0, to, JAVA_FLOAT_UNALIGNED, 4L * from.length * row, from.length);
  }

  /// Returns a whole batch as people can look at it: augmented, mixed, and without its
  /// normalization. Every image has its own label.
  public Images shown(Batch batch, Mixing.Mix mix) {
    int size = source.size();
    Rows rows = batch.rows;
    MemorySegment values = MemorySegment.ofArray(new float[size * rows.count()]);
    fill(values, batch);
    if (!mix.isNone()) {
      mix(values, batch, rows, mix);
    }
    byte[] pixels = new byte[size * rows.count()];
    int plane = size / source.channels();
    for (int i = 0; i < pixels.length; i++) {
      int p = i % size;
      float value =
          values.getAtIndex(
              JAVA_FLOAT_UNALIGNED, i - p + (long) (p % plane) * source.channels() + p / plane);
      pixels[i] =
          (byte) Math.round(Math.clamp(255 * (value * standardDeviation[p] + mean[p]), 0, 255));
    }
    return new Images(
        source.channels(), source.height(), source.width(), pixels, labels(batch.order, rows));
  }

  /// Returns the labels of the images `order[rows.from()] .. order[rows.to()-1]`.
  public int[] labels(int[] order, Rows rows) {
    int[] labels = new int[rows.count()];
    for (int i = 0; i < labels.length; i++) {
      labels[i] = source.labels()[order[rows.from() + i]];
    }
    return labels;
  }

  /// Writes the images of a batch to the start of `out`, as float32 in the order `N×H×W×C`
  /// (channels innermost, which libtorch calls channels-last).
  ///
  /// How an image is augmented depends only on its key, and therefore neither on its place in the
  /// batch nor on the worker. With the key `d = augment.at(index)` and a border of width P, the
  /// crop starts in row `d.below(0, 2P+1)` and column `d.below(1, 2P+1)` of the padded image, and
  /// is then mirrored if `d.bits(2)` is negative. The part of a photo is drawn from `d` as
  /// [CropRegion] says. Throws `IllegalArgumentException` if the images do not fit into `out`.
  void fill(MemorySegment out, Batch batch) {
    int[] indices = batch.order;
    int from = batch.rows.from();
    int to = batch.rows.to();
    int size = source.size();
    checkRoom(out, indices, from, to, 4L * size);
    float[] image = new float[size];
    for (int i = from; i < to; i++) {
      read(image, batch, i);
      copy(image, out, i - from);
    }
  }

  /// Reads the image at this place of the batch's order into `H×W×C` values.
  private void read(float[] image, Batch batch, int place) {
    int index = Objects.checkIndex(batch.order[place], source.count());
    Augmentation augmentation = batch.augmentation;
    RandomKey key = batch.key(place);
    switch (source) {
      case Images images -> {
        int start = index * source.size();
        if (augmentation.policy().equals(Policy.NONE)) {
          write(image, images.pixels(), start, augmentation, key);
        } else {
          byte[] own = Arrays.copyOfRange(images.pixels(), start, start + source.size());
          augmentation.change(own, source, key);
          write(image, own, 0, augmentation, key);
        }
      }
      case Photos photos ->
          write(image, decoded(photos, index, augmentation, key), 0, augmentation, key);
    }
    Patch erased = augmentation.erased(source, key);
    if (erased != null) {
      erase(image, erased, Augmentation.noise(key));
    }
  }

  /// Fills a patch with uniform bytes, the same as an image of noise would have there.
  private void erase(float[] image, Patch patch, RandomKey noise) {
    int drawn = 0;
    for (int y = patch.top(); y < patch.top() + patch.height(); y++) {
      for (int x = patch.left(); x < patch.left() + patch.width(); x++) {
        for (int c = 0; c < source.channels(); c++) {
          int p = (c * source.height() + y) * source.width() + x;
          image[(y * source.width() + x) * source.channels() + c] =
              (UNIT[noise.below(drawn++, UNIT.length)] - mean[p]) / standardDeviation[p];
        }
      }
    }
  }

  private byte[] decoded(Photos photos, int index, Augmentation how, RandomKey key) {
    return prefetcher == null
        ? photos.decode(index, how, key)
        : prefetcher.take(new Prefetcher.Wanted(index, how, key));
  }

  private static void checkRoom(MemorySegment out, int[] indices, int from, int to, long row) {
    Objects.checkFromToIndex(from, to, indices.length);
    if (out.byteSize() < (to - from) * row) {
      throw new IllegalArgumentException(
          "%s rows of %s bytes do not fit into a segment of %s"
              .formatted(to - from, row, out.byteSize()));
    }
  }

  private void write(
      float[] image, byte[] pixels, int start, Augmentation augmentation, RandomKey key) {
    int pad = augmentation.pad();
    int down = key.below(0, 2 * pad + 1) - pad;
    int right = key.below(1, 2 * pad + 1) - pad;
    boolean flip = augmentation.flip() && key.bits(2) < 0;
    float[] shift = augmentation.shift(source, key);
    if (down != 0 || right != 0) {
      Arrays.fill(image, 0);
    }
    for (int c = 0; c < source.channels(); c++) {
      writeChannel(image, pixels, start, c, down, right, flip, shift[c]);
    }
  }

  /// Writes channel `c` of the image whose bytes begin at `start`. Row y and column x of the result
  /// come from row `y + down` and column `x + right` of the image, where it has them, plus `shift`.
  private void writeChannel(
      float[] image,
      byte[] pixels,
      int start,
      int c,
      int down,
      int right,
      boolean flip,
      float shift) {
    int channels = source.channels();
    int height = source.height();
    int width = source.width();
    int step = flip ? -channels : channels;
    int left = Math.max(0, -right);
    int end = Math.min(width, width - right);
    for (int y = Math.max(0, -down); y < Math.min(height, height - down); y++) {
      int p = (c * height + y + down) * width + left + right;
      int o = (y * width + (flip ? width - 1 - left : left)) * channels + c;
      for (int x = left; x < end; x++) {
        image[o] = (UNIT[pixels[start + p] & 0xff] + shift - mean[p]) / standardDeviation[p];
        p++;
        o += step;
      }
    }
  }
}
