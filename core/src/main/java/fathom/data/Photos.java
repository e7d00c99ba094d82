package fathom.data;

import fathom.RandomKey;
import fathom.io.BadFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Labelled photos that stay in their files and are decoded to squares of one size each time they
/// are used.
///
/// In tests the shorter side is brought to 256/224 of that size and the centre is cropped. In
/// training a part is drawn where the [Augmentation] says so.
///
/// A file whose header is sound may still turn out damaged when it is decoded. Then the next image
/// of its class that can be decoded is seen in its place, of these or of those they were selected
/// from, after the last one the first. So the number and order of the images are fixed when a
/// folder is opened, and what is seen is a function of the files: a run resumes exactly, whoever
/// finds the damage first. A file that cannot be read is not replaced.
public final class Photos implements LabelledImages {
  private final int channels;
  private final int side;
  private final Pool pool;

  /// Of each photo in the pool.
  private final int[] places;

  private final int[] labels;
  private final @Nullable Decoders decoders;

  /// Where the place of a damaged one is filled from.
  private record Pool(List<Path> files, int[] labels, Replaced replaced) {
    /// The place after `i` with the same label.
    int next(int i) {
      int next = i;
      do {
        next = next + 1 == labels.length ? 0 : next + 1;
      } while (labels[next] != labels[i]);
      return next;
    }
  }

  /// The headers of `files` are sound.
  Photos(int channels, int side, List<Path> files, int[] labels, Replaced replaced) {
    this(
        channels,
        side,
        new Pool(List.copyOf(files), labels, replaced),
        IntStream.range(0, labels.length).toArray(),
        null);
  }

  private Photos(int channels, int side, Pool pool, int[] places, @Nullable Decoders decoders) {
    this.channels = channels;
    this.side = side;
    this.pool = pool;
    this.places = places;
    this.labels = Arrays.stream(places).map(place -> pool.labels[place]).toArray();
    this.decoders = decoders;
  }

  /// To what the shorter side is brought before a centre of this side is cropped, in tests.
  public static int shorterSide(int side) {
    return Math.toIntExact(CropRegion.shorter(side));
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
          "the first %s images were asked for, but there are %s".formatted(n, count()));
    }
    return select(IntStream.range(0, n).toArray());
  }

  @Override
  public Photos select(int[] positions) {
    return new Photos(
        channels, side, pool, Arrays.stream(positions).map(i -> places[i]).toArray(), decoders);
  }

  /// The same, of which none is ever seen in the place of one that is not among them: for a part
  /// that is judged by another one.
  Photos apart() {
    List<Path> files = Arrays.stream(places).mapToObj(pool.files::get).toList();
    var own = new Pool(files, labels, pool.replaced);
    return new Photos(channels, side, own, IntStream.range(0, labels.length).toArray(), decoders);
  }

  /// `listener` is told of every file that turns out to be damaged from now on, by any thread.
  void onDamage(Consumer<FolderSummary.Skipped> listener) {
    pool.replaced.tell(listener);
  }

  @Override
  public Photos relabelled(int[] to) {
    int[] kept = IntStream.range(0, count()).filter(i -> to[labels[i]] >= 0).toArray();
    List<Path> files = Arrays.stream(kept).mapToObj(i -> pool.files.get(places[i])).toList();
    int[] of = Arrays.stream(kept).map(i -> to[labels[i]]).toArray();
    return new Photos(
        channels,
        side,
        new Pool(files, of, pool.replaced),
        IntStream.range(0, of.length).toArray(),
        decoders);
  }

  @Override
  public Photos decodedBy(Decoders decoders) {
    return new Photos(channels, side, pool, places, decoders);
  }

  @Override
  public Images images() {
    long bytes = (long) size() * count();
    if (bytes > Integer.MAX_VALUE - 8) {
      throw new IllegalArgumentException(
          "at most 2 GiB of images fit into one array, but %s are %s bytes".formatted(this, bytes));
    }
    byte[] pixels = new byte[(int) bytes];
    IntStream.range(0, count())
        .parallel()
        .forEach(i -> read(i, CropRegion.tested(side), pixels, i * size()));
    return new Images(channels, side, side, pixels, labels);
  }

  /// What decodes ahead for one thread; null where no threads are given.
  @Nullable Prefetcher prefetcher() {
    return decoders == null ? null : new Prefetcher(this, decoders);
  }

  /// Photo `index` as `C×H×W` bytes: the part that `key` chooses where one is to be drawn,
  /// otherwise that of tests. It is not mirrored. Throws [fathom.io.BadFileException] if its file
  /// cannot be read, or none of its class can be decoded.
  byte[] decode(int index, Augmentation how, RandomKey key) {
    if (how.pad() > 0) {
      throw new IllegalArgumentException(
          "photos are cropped from what their files have, without a border, but %s pixels of one are asked for"
              .formatted(how.pad()));
    }
    byte[] pixels = new byte[size()];
    read(index, how.part() ? CropRegion.part(key) : CropRegion.tested(side), pixels, 0);
    return pixels;
  }

  private void read(int index, CropRegion view, byte[] pixels, int at) {
    var to = new Scaling.Target(channels, side, side);
    int place = places[index];
    BadFileException first = null;
    do {
      Path file = pool.files.get(place);
      try {
        ImageFile.read(file, view, to, pixels, at);
        return;
      } catch (BadFileException e) {
        HeaderScan.checkReadable(file);
        pool.replaced.add(file, e);
        first = first == null ? e : first;
        place = pool.next(place);
      }
    } while (place != places[index]);
    throw Objects.requireNonNull(first);
  }

  /// For example `500×3×224×224`.
  @Override
  public String toString() {
    return count() + "×" + channels + "×" + side + "×" + side;
  }
}
