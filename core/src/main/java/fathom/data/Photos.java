package fathom.data;

import fathom.Draw;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Labelled photographs that stay in their files and are decoded to squares of one size each time
/// they are used.
///
/// In tests the shorter side is brought to 256/224 of that size and the centre is cropped. In
/// training a part is drawn where the [Augmentation] says so.
public final class Photos implements Pictures {
  private final int channels;
  private final int side;
  private final List<Path> files;
  private final int[] labels;
  private final @Nullable Decoders decoders;

  /// `files` can be decoded.
  Photos(int channels, int side, List<Path> files, int[] labels) {
    this(channels, side, List.copyOf(files), labels, null);
  }

  private Photos(
      int channels, int side, List<Path> files, int[] labels, @Nullable Decoders decoders) {
    this.channels = channels;
    this.side = side;
    this.files = files;
    this.labels = labels;
    this.decoders = decoders;
  }

  /// To what the shorter side is brought before a centre of this side is cropped, in tests.
  public static int shorterSide(int side) {
    return Math.toIntExact(View.shorter(side));
  }

  @Override
  public int channels() {
    return channels;
  }

  @Override
  public int height() {
    return side;
  }

  @Override
  public int width() {
    return side;
  }

  @Override
  public int[] labels() {
    return labels;
  }

  @Override
  public Photos take(int n) {
    if (n < 0 || n > count()) {
      throw new IllegalArgumentException(
          "the first %s pictures were asked for, but there are %s".formatted(n, count()));
    }
    return select(IntStream.range(0, n).toArray());
  }

  @Override
  public Photos select(int[] positions) {
    return new Photos(
        channels,
        side,
        Arrays.stream(positions).mapToObj(files::get).toList(),
        Arrays.stream(positions).map(i -> labels[i]).toArray(),
        decoders);
  }

  @Override
  public Photos decodedBy(Decoders decoders) {
    return new Photos(channels, side, files, labels, decoders);
  }

  @Override
  public Images images() {
    long bytes = (long) size() * count();
    if (bytes > Integer.MAX_VALUE - 8) {
      throw new IllegalArgumentException(
          "at most 2 GiB of pictures fit into one array, but %s are %s bytes"
              .formatted(this, bytes));
    }
    byte[] pixels = new byte[(int) bytes];
    IntStream.range(0, count())
        .parallel()
        .forEach(i -> read(i, View.tested(side), pixels, i * size()));
    return new Images(channels, side, side, pixels, labels);
  }

  /// What decodes ahead for one thread; null where no threads are given.
  @Nullable Ahead ahead() {
    return decoders == null ? null : new Ahead(this, decoders);
  }

  /// Photograph `index` as `C×H×W` bytes: the part that `draw` chooses where one is to be drawn,
  /// otherwise that of tests. It is not mirrored. Throws [fathom.BadFileException] if its file has
  /// been damaged since it was opened.
  byte[] decode(int index, Augmentation how, Draw draw) {
    if (how.pad() > 0) {
      throw new IllegalArgumentException(
          "photographs are cropped from what their files have, without a border, but %s pixels of one are asked for"
              .formatted(how.pad()));
    }
    byte[] pixels = new byte[size()];
    read(index, how.part() ? View.part(draw) : View.tested(side), pixels, 0);
    return pixels;
  }

  private void read(int index, View view, byte[] pixels, int at) {
    PictureFile.read(files.get(index), view, new Scaling.Target(channels, side, side), pixels, at);
  }

  /// For example `500×3×224×224`.
  @Override
  public String toString() {
    return count() + "×" + channels + "×" + side + "×" + side;
  }
}
