package fathom.data;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// Labelled images of one size, on the heap.
///
/// The arrays are not copied, because a data set may fill half the memory. Whoever makes an
/// `Images` must not change them afterwards.
///
/// @param channels 1 for grey, 3 for red, green, blue
/// @param pixels `N×C×H×W` unsigned bytes, one image after the other
/// @param labels the class of each of the N images, counted from 0
public record Images(int channels, int height, int width, byte[] pixels, int[] labels)
    implements LabelledImages {
  /// Throws `IllegalArgumentException` if a size is less than 1, if the arrays do not have fitting
  /// lengths, or if a label is negative.
  public Images {
    if (channels < 1 || height < 1 || width < 1) {
      throw new IllegalArgumentException(
          "an image needs at least one channel, row and column, but the size is %s×%s×%s"
              .formatted(channels, height, width));
    }
    long plane = (long) height * width;
    if (plane > Integer.MAX_VALUE
        || plane * channels > Integer.MAX_VALUE
        || pixels.length != labels.length * plane * channels) {
      throw new IllegalArgumentException(
          "%s labels need as many images of %s×%s×%s bytes, but there are %s bytes"
              .formatted(labels.length, channels, height, width, pixels.length));
    }
    for (int label : labels) {
      if (label < 0) {
        throw new IllegalArgumentException("classes are counted from 0, but a label is " + label);
      }
    }
  }

  /// Joins `parts` one after the other; without parts, the result has no images, of size 1×1×1.
  /// Throws `IllegalArgumentException` if their sizes differ.
  public static Images joined(List<Images> parts) {
    Images first = parts.isEmpty() ? new Images(1, 1, 1, new byte[0], new int[0]) : parts.get(0);
    int count = parts.stream().mapToInt(Images::count).sum();
    byte[] pixels = new byte[Math.multiplyExact(count, first.size())];
    int[] labels = new int[count];
    int at = 0;
    for (Images part : parts) {
      if (part.channels != first.channels
          || part.height != first.height
          || part.width != first.width) {
        throw new IllegalArgumentException(
            "joined images have one size, but they are %s and %s".formatted(first, part));
      }
      System.arraycopy(part.pixels, 0, pixels, at * first.size(), part.pixels.length);
      System.arraycopy(part.labels, 0, labels, at, part.count());
      at += part.count();
    }
    return new Images(first.channels, first.height, first.width, pixels, labels);
  }

  @Override
  public Images take(int n) {
    if (n < 0 || n > count()) {
      throw new IllegalArgumentException(
          "the first %s images were asked for, but there are %s".formatted(n, count()));
    }
    return new Images(
        channels, height, width, Arrays.copyOf(pixels, n * size()), Arrays.copyOf(labels, n));
  }

  @Override
  public Images select(int[] positions) {
    var chosen = new byte[Math.multiplyExact(positions.length, size())];
    var of = new int[positions.length];
    for (int i = 0; i < positions.length; i++) {
      System.arraycopy(pixels, positions[i] * size(), chosen, i * size(), size());
      of[i] = labels[positions[i]];
    }
    return new Images(channels, height, width, chosen, of);
  }

  @Override
  public Images relabelled(int[] to) {
    int[] kept = IntStream.range(0, count()).filter(i -> to[labels[i]] >= 0).toArray();
    Images left = kept.length == count() ? this : select(kept);
    return new Images(
        channels, height, width, left.pixels, Arrays.stream(left.labels).map(i -> to[i]).toArray());
  }

  @Override
  public Images images() {
    return this;
  }

  /// Returns these images, because there is nothing to decode.
  @Override
  public Images decodedBy(Decoders decoders) {
    return this;
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof Images other
        && channels == other.channels
        && height == other.height
        && width == other.width
        && Arrays.equals(labels, other.labels)
        && Arrays.equals(pixels, other.pixels);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(labels) + Arrays.hashCode(pixels);
  }

  /// Returns the shape, for example `50000×3×32×32`.
  @Override
  public String toString() {
    return count() + "×" + channels + "×" + height + "×" + width;
  }
}
