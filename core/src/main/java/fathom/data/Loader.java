package fathom.data;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import fathom.DType;
import fathom.Draw;
import fathom.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Objects;

/// Normalised and augmented pictures as tensors. Any number of threads may use one loader at a
/// time.
public final class Loader {
  /// `v / 255` for each value of a byte.
  private static final float[] UNIT = new float[256];

  static {
    for (int v = 0; v < UNIT.length; v++) {
      UNIT[v] = v / 255f;
    }
  }

  private final Images images;
  private final Normalization normalization;
  private final float[] mean;
  private final float[] deviation;

  /// Throws `IllegalArgumentException` if the normalization is for pictures of another size.
  public Loader(Images images, Normalization normalization) {
    this.images = images;
    this.normalization = normalization;
    this.mean = normalization.meanOf(images);
    this.deviation = normalization.deviationOf(images);
  }

  public Images images() {
    return images;
  }

  public Normalization normalization() {
    return normalization;
  }

  /// The pictures `order[rows.from()] .. order[rows.to()-1]` as they are: N×C×H×W, float32,
  /// channels innermost, in the innermost scope.
  public Tensor pictures(int[] order, Rows rows) {
    return pictures(order, rows, Augmentation.NONE, new Draw(0));
  }

  /// The same, each varied by a draw of `augment` that belongs to its index.
  public Tensor pictures(int[] order, Rows rows, Augmentation augmentation, Draw augment) {
    Tensor pictures =
        Tensor.emptyPictures(
            DType.FLOAT32, rows.count(), images.channels(), images.height(), images.width());
    fill(pictures.segment(), order, rows.from(), rows.to(), augmentation, augment);
    return pictures;
  }

  /// The labels of the same pictures.
  public int[] labels(int[] order, Rows rows) {
    int[] labels = new int[rows.count()];
    for (int i = 0; i < labels.length; i++) {
      labels[i] = images.labels()[order[rows.from() + i]];
    }
    return labels;
  }

  /// Writes the pictures `indices[from] .. indices[to-1]` to the start of `out`, as float32 in the
  /// order `N×H×W×C` (channels innermost, which libtorch calls channels-last).
  ///
  /// How a picture is varied depends on `augment` and its index only, and so neither on its place
  /// in the batch nor on the worker. Of `d = augment.at(index)`, with a border of width P, the crop
  /// starts in row `d.below(0, 2P+1)` and column `d.below(1, 2P+1)` of the padded picture, and is
  /// then mirrored if `d.bits(2)` is negative.
  void fill(
      MemorySegment out, int[] indices, int from, int to, Augmentation augmentation, Draw augment) {
    int size = images.size();
    checkRoom(out, indices, from, to, 4L * size);
    float[] picture = new float[size];
    for (int i = from; i < to; i++) {
      int index = Objects.checkIndex(indices[i], images.count());
      write(picture, index, augmentation, augment.at(index));
      MemorySegment.copy(picture, 0, out, JAVA_FLOAT_UNALIGNED, 4L * size * (i - from), size);
    }
  }

  private static void checkRoom(MemorySegment out, int[] indices, int from, int to, long row) {
    Objects.checkFromToIndex(from, to, indices.length);
    if (out.byteSize() < (to - from) * row) {
      throw new IllegalArgumentException(
          "%d rows of %d bytes do not fit into a segment of %d"
              .formatted(to - from, row, out.byteSize()));
    }
  }

  private void write(float[] picture, int index, Augmentation augmentation, Draw draw) {
    int pad = augmentation.pad();
    int down = draw.below(0, 2 * pad + 1) - pad;
    int right = draw.below(1, 2 * pad + 1) - pad;
    boolean flip = augmentation.flip() && draw.bits(2) < 0;
    if (down != 0 || right != 0) {
      Arrays.fill(picture, 0);
    }
    for (int c = 0; c < images.channels(); c++) {
      writeChannel(picture, index, c, down, right, flip);
    }
  }

  /// Row y and column x of the result come from row `y + down` and column `x + right` of the
  /// picture, as far as it has them.
  private void writeChannel(float[] picture, int index, int c, int down, int right, boolean flip) {
    int channels = images.channels();
    int height = images.height();
    int width = images.width();
    byte[] pixels = images.pixels();
    int start = index * images.size();
    int step = flip ? -channels : channels;
    int left = Math.max(0, -right);
    int end = Math.min(width, width - right);
    for (int y = Math.max(0, -down); y < Math.min(height, height - down); y++) {
      int p = (c * height + y + down) * width + left + right;
      int o = (y * width + (flip ? width - 1 - left : left)) * channels + c;
      for (int x = left; x < end; x++) {
        picture[o] = (UNIT[pixels[start + p] & 0xff] - mean[p]) / deviation[p];
        p++;
        o += step;
      }
    }
  }
}
