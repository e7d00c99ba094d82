package fathom.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ShardOrderTest {
  /// Shards of this many images each, the last one with what is left. Images are numbered
  /// backwards, because classes number them in another order than shards have them.
  private static ShardOrder shards(int count, int each) {
    return new ShardOrder(
        IntStream.range(0, count).map(i -> count - 1 - i).toArray(),
        IntStream.iterate(0, i -> i < count, i -> i + each).toArray());
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1, 1",
    "7, 3, 7",
    "100, 10, 8",
    "100, 10, 64",
    "1000, 90, 96",
    "1001, 90, 96",
    "1000, 1000, 47",
    "20000, 700, 128"
  })
  void anEpochHasEveryImageOnce(int count, int each, int batch) {
    var epochs = new Epochs(1, count, batch);
    for (long epoch = 0; epoch < 3; epoch++) {
      int[] order = shards(count, each).of(epochs, epoch);
      assertArrayEquals(
          IntStream.range(0, count).toArray(), Arrays.stream(order).sorted().toArray());
    }
  }

  @Test
  void everyEpochAndSeedHasAnOrderOfItsOwn() {
    ShardOrder shards = shards(1000, 90);
    int[] first = shards.of(new Epochs(1, 1000, 96), 0);
    assertArrayEquals(first, shards(1000, 90).of(new Epochs(1, 1000, 96), 0));
    assertFalse(Arrays.equals(first, shards.of(new Epochs(1, 1000, 96), 1)));
    assertFalse(Arrays.equals(first, shards.of(new Epochs(2, 1000, 96), 0)));
  }

  /// Of as many processes as divide the lanes, each reads its own images one after the other: what
  /// it reads in an epoch is one piece of the shards' sequence, and what it reads at a time lies
  /// within the windows of its lanes.
  @ParameterizedTest
  @CsvSource({"2, 96", "3, 96", "8, 96", "4, 240"})
  void everyProcessReadsAPieceOfTheSequence(int processes, int batch) {
    int count = 48 * 600;
    var epochs = new Epochs(1, count, batch);
    ShardOrder shards = shards(count, 1000);
    int[] order = shards.of(epochs, 0);
    Set<Integer> all = new HashSet<>();
    int readers = 0;
    for (int rank = 0; rank < processes; rank++) {
      Set<Integer> read = new HashSet<>();
      for (int b = 0; b < epochs.batches(); b++) {
        Rows own = epochs.batch(b).share(rank, processes);
        for (int i = own.from(); i < own.to(); i++) {
          read.add((count - 1 - order[i]) / 1000);
          all.add(order[i]);
        }
      }
      readers += read.size();
    }
    assertEquals(count, all.size());
    int shardsThere = Math.ceilDiv(count, 1000);
    assertTrue(
        readers <= shardsThere + processes,
        "only shards at the ends of pieces are read twice, but there are " + readers);
  }

  @Test
  void aLaneMixesWithinItsWindow() {
    int count = 48 * 1024;
    var epochs = new Epochs(1, count, 48);
    int[] order = new ShardOrder(IntStream.range(0, count).toArray(), new int[] {0}).of(epochs, 0);
    for (int lane = 0; lane < ShardOrder.LANES; lane++) {
      int moved = 0;
      for (int batch = 0; batch < 1024; batch++) {
        int at = order[batch * 48 + lane];
        int place = lane * 1024 + batch;
        assertEquals(place / ShardOrder.WINDOW, at / ShardOrder.WINDOW);
        moved += at == place ? 0 : 1;
      }
      assertTrue(moved > 900, "in random order");
    }
  }
}
