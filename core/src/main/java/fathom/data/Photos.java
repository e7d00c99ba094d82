package fathom.data;

import fathom.RandomKey;
import fathom.data.FolderScan.Entry;
import fathom.io.BadFileException;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Labelled photos that stay in their files and are decoded to squares of one size each time they
/// are used.
///
/// In tests the shorter side is scaled to 256/224 of that size and the centre is cropped. In
/// training a random part is used if the [Augmentation] says so.
///
/// A file whose header is sound may still turn out to be damaged when it is decoded. Then the next
/// image of its class that can be decoded is used in its place; the search runs over these photos,
/// or over those from which they were selected, and continues with the first after the last. So the
/// number and order of the images are fixed when a folder is opened, and what a net sees is a
/// function of the files: a run resumes exactly, no matter when the damage is discovered. A file
/// that cannot be read is not replaced.
public final class Photos implements LabelledImages {
  private final int channels;
  private final int side;

  private final Pool pool;

  /// The position of each photo in the pool.
  private final int[] places;

  private final int[] labels;
  private final @Nullable Decoders decoders;
  private final Resizing tested;
  private volatile @Nullable ShardOrder sequence;

  /// The photos from which a damaged one is replaced.
  private record Pool(List<Entry> files, int[] labels, Replaced replaced) {
    /// Returns the next place after `i` with the same label, which is `i` itself if no other has
    /// it.
    int next(int i) {
      int next = i;
      do {
        next = next + 1 == labels.length ? 0 : next + 1;
      } while (labels[next] != labels[i]);
      return next;
    }
  }

  /// Makes photos from `files`, whose headers are sound.
  Photos(int channels, int side, List<Entry> files, int[] labels, Replaced replaced) {
    this(
        channels,
        side,
        new Pool(List.copyOf(files), labels, replaced),
        IntStream.range(0, labels.length).toArray(),
        null,
        new Resizing(channels, side, side, true));
  }

  private Photos(
      int channels,
      int side,
      Pool pool,
      int[] places,
      @Nullable Decoders decoders,
      Resizing tested) {
    this.channels = channels;
    this.side = side;
    this.pool = pool;
    this.places = places;
    this.labels = Arrays.stream(places).map(place -> pool.labels[place]).toArray();
    this.decoders = decoders;
    this.tested = tested;
  }

  /// Returns the same photos, seen in tests as weights from elsewhere want it.
  Photos croppedBy(CentreCrop crop) {
    var own = new Resizing(channels, side, side, true, crop);
    return new Photos(channels, side, pool, places, decoders, own);
  }

  /// Returns the shortest length in pixels to which the shorter side is scaled in training by scale
  /// for squares of this side.
  public static int shortest(int side) {
    return CropRegion.scaled(side, CropRegion.SHORTEST);
  }

  /// Returns the longest length in pixels to which the shorter side is scaled in training by scale.
  public static int longest(int side) {
    return CropRegion.scaled(side, CropRegion.LONGEST);
  }

  /// Returns the length in pixels that the shorter side is scaled to in tests, before a centre of
  /// `side` pixels is cropped.
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
        channels,
        side,
        pool,
        Arrays.stream(positions).map(i -> places[i]).toArray(),
        decoders,
        tested);
  }

  /// Returns the same photos with a pool of their own, so that no photo outside this part ever
  /// replaces one in it. This keeps training and validation apart.
  Photos apart() {
    List<Entry> files = Arrays.stream(places).mapToObj(pool.files::get).toList();
    var own = new Pool(files, labels, pool.replaced);
    return new Photos(
        channels, side, own, IntStream.range(0, labels.length).toArray(), decoders, tested);
  }

  /// Registers `listener`, which is told of every file that turns out to be damaged from now on;
  /// any thread may call it.
  void onDamage(Consumer<FolderSummary.Skipped> listener) {
    pool.replaced.tell(listener);
  }

  @Override
  public Photos relabelled(int[] to) {
    int[] kept = IntStream.range(0, count()).filter(i -> to[labels[i]] >= 0).toArray();
    List<Entry> files = Arrays.stream(kept).mapToObj(i -> pool.files.get(places[i])).toList();
    int[] of = Arrays.stream(kept).map(i -> to[labels[i]]).toArray();
    return new Photos(
        channels,
        side,
        new Pool(files, of, pool.replaced),
        IntStream.range(0, of.length).toArray(),
        decoders,
        tested);
  }

  @Override
  public Photos decodedBy(Decoders decoders) {
    return new Photos(channels, side, pool, places, decoders, tested);
  }

  /// Returns the same photos before the centre is cropped for tests: the square in the middle of
  /// the scaled photo, whose side is the shorter one. What tests see is the centre of it.
  public Photos uncropped() {
    Resizing whole = tested.uncropped();
    return new Photos(channels, whole.height(), pool, places, decoders, whole);
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
        .forEach(i -> read(i, tested.view(), tested.target(), pixels, i * size()));
    return new Images(channels, side, side, pixels, labels);
  }

  /// Returns the order of an epoch: of photos in shards one that reads the shards in sequence
  /// ([ShardOrder]), and otherwise that of [Epochs].
  @Override
  public int[] order(Epochs epochs, long epoch) {
    ShardOrder inSequence = sequence();
    return inSequence == null ? epochs.order(epoch) : inSequence.of(epochs, epoch);
  }

  private @Nullable ShardOrder sequence() {
    if (places.length == 0 || pool.files.get(places[0]).shard() == null) {
      return null;
    }
    ShardOrder known = sequence;
    if (known == null) {
      known = ShardOrder.over(Arrays.stream(places).mapToObj(pool.files::get).toList());
      sequence = known; // any thread may do this, all with the same result
    }
    return known;
  }

  /// Returns the file of photo `index`.
  Entry file(int index) {
    return pool.files.get(places[index]);
  }

  /// Returns a prefetcher for one thread; null if there are no decoders.
  @Nullable Prefetcher prefetcher() {
    return decoders == null ? null : new Prefetcher(this, decoders);
  }

  /// Returns photo `index` as `C×H×W` bytes: the part that `key` chooses if the augmentation asks
  /// for a part, otherwise the part that tests see, changed by the policy. It is not mirrored.
  /// Throws `IllegalArgumentException` if the augmentation has a border, and
  /// [fathom.io.BadFileException] if the file cannot be read or no photo of its class can be
  /// decoded.
  byte[] decode(int index, Augmentation how, RandomKey key) {
    if (how.pad() > 0) {
      throw new IllegalArgumentException(
          "photos are cropped from what their files have, without a border, but %s pixels of one are asked for"
              .formatted(how.pad()));
    }
    byte[] pixels = new byte[size()];
    if (how.part()) {
      read(index, how.region(side, key), new Scaling.Target(channels, side, side), pixels, 0);
    } else {
      read(index, tested.view(), tested.target(), pixels, 0);
    }
    how.change(pixels, this, key);
    return pixels;
  }

  private void read(int index, CropRegion view, Scaling.Target to, byte[] pixels, int at) {
    int place = places[index];
    BadFileException first = null;
    do {
      Entry file = pool.files.get(place);
      try {
        ImageFile.read(file.source(), view, to, pixels, at);
        return;
      } catch (BadFileException e) {
        HeaderScan.checkReadable(file);
        pool.replaced.add(file.path(), e);
        first = first == null ? e : first;
        place = pool.next(place);
      }
    } while (place != places[index]);
    throw Objects.requireNonNull(first);
  }

  /// Returns the shape, for example `500×3×224×224`.
  @Override
  public String toString() {
    return count() + "×" + channels + "×" + side + "×" + side;
  }
}
