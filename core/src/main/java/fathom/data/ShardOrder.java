package fathom.data;

import fathom.RandomKey;
import fathom.data.FolderScan.Entry;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.IntStream;

/// The order in which an epoch visits images that lie in shards, such that every shard is read from
/// its beginning to its end, by few readers.
///
/// The shards of an epoch follow one another in a random order. Their images are cut into [#LANES]
/// lanes, and every batch takes the same rows from the same lane: row i of B is of lane
/// ⌊i·LANES/B⌋. So a worker or process, which has a share of consecutive rows of every batch, reads
/// only its own lanes. In a lane, the images of each [#WINDOW] that follow one another are in
/// random order.
///
/// The order is a function of the seed, the epoch, the batch size and the shards, and neither of
/// the number of workers nor of that of processes; resuming needs nothing but the step.
///
/// @param images the images in the order in which they lie in the shards
/// @param starts where each shard begins in `images`
record ShardOrder(int[] images, int[] starts) {
  /// The number of lanes. It is a multiple of the usual numbers of workers and processes, whose
  /// shares then begin at lanes.
  static final int LANES = 48;

  /// The number of consecutive images in a lane that change places with one another. So a batch is
  /// drawn from the next 12,288 images, of up to 48 shards.
  static final int WINDOW = 256;

  /// Returns the order for images that have these entries, each in a shard.
  static ShardOrder over(List<Entry> entries) {
    var numbers = new TreeMap<Path, Integer>();
    entries.forEach(entry -> numbers.put(shard(entry), 0));
    int next = 0;
    for (var each : numbers.entrySet()) {
      each.setValue(next++);
    }
    int[] of =
        entries.stream()
            .mapToInt(entry -> Objects.requireNonNull(numbers.get(shard(entry))))
            .toArray();
    int[] images =
        IntStream.range(0, of.length)
            .boxed()
            .sorted(
                Comparator.<Integer>comparingInt(i -> of[i])
                    .thenComparingLong(i -> entries.get(i).from()))
            .mapToInt(i -> i)
            .toArray();
    int[] starts = new int[numbers.size()];
    for (int i = images.length - 1; i >= 0; i--) {
      starts[of[images[i]]] = i;
    }
    return new ShardOrder(images, starts);
  }

  private static Path shard(Entry entry) {
    return Objects.requireNonNull(entry.shard());
  }

  /// Returns the images in the order in which epoch `epoch` visits them.
  int[] of(Epochs epochs, long epoch) {
    int[] read = mixed(sequence(epochs, epoch), epochs, epoch);
    int[] order = new int[read.length];
    int[] next = lanes(epochs);
    for (int batch = 0; batch < epochs.batches(); batch++) {
      Rows rows = epochs.batch(batch);
      for (int lane = 0; lane < LANES; lane++) {
        Rows own = rows.share(lane, LANES);
        System.arraycopy(read, next[lane], order, own.from(), own.count());
        next[lane] += own.count();
      }
    }
    return order;
  }

  /// The images of all shards, one shard after the other.
  private int[] sequence(Epochs epochs, long epoch) {
    int[] sequence = new int[images.length];
    int at = 0;
    for (int shard : RandomKey.of(epochs.seed(), "shards").at(epoch).permutation(starts.length)) {
      int end = shard + 1 < starts.length ? starts[shard + 1] : images.length;
      System.arraycopy(images, starts[shard], sequence, at, end - starts[shard]);
      at += end - starts[shard];
    }
    return sequence;
  }

  /// Where each lane begins in the sequence: it has as many images as the batches of an epoch take
  /// from it. One more number is the end.
  private static int[] lanes(Epochs epochs) {
    int[] starts = new int[LANES + 1];
    int last = epochs.batches() - 1;
    for (int lane = 0; lane < LANES; lane++) {
      int full = last == 0 ? 0 : last * epochs.batch(0).share(lane, LANES).count();
      starts[lane + 1] = starts[lane] + full + epochs.batch(last).share(lane, LANES).count();
    }
    return starts;
  }

  private static int[] mixed(int[] sequence, Epochs epochs, long epoch) {
    int[] mixed = new int[sequence.length];
    int[] starts = lanes(epochs);
    RandomKey key = RandomKey.of(epochs.seed(), "window").at(epoch);
    for (int lane = 0; lane < LANES; lane++) {
      for (int from = starts[lane]; from < starts[lane + 1]; from += WINDOW) {
        int[] places = key.at(from).permutation(Math.min(WINDOW, starts[lane + 1] - from));
        for (int i = 0; i < places.length; i++) {
          mixed[from + i] = sequence[from + places[i]];
        }
      }
    }
    return mixed;
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof ShardOrder other
        && Arrays.equals(images, other.images)
        && Arrays.equals(starts, other.starts);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(images) + Arrays.hashCode(starts);
  }

  /// Returns how many images and shards there are.
  @Override
  public String toString() {
    return "%s images in %s shards".formatted(images.length, starts.length);
  }
}
