package fathom.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class EpochsTest {
  @Test
  void everyEpochVisitsEachImageOnceInAnOrderOfItsOwn() {
    Epochs epochs = new Epochs(1, 100, 32);
    for (int epoch = 0; epoch < 5; epoch++) {
      int[] order = epochs.order(epoch);
      assertArrayEquals(order, new Epochs(1, 100, 7).order(epoch));
      assertFalse(Arrays.equals(order, epochs.order(epoch + 1)));
      assertFalse(Arrays.equals(order, new Epochs(2, 100, 32).order(epoch)));
      assertNotEquals(epochs.augment(epoch), epochs.augment(epoch + 1));
      Arrays.sort(order);
      assertArrayEquals(IntStream.range(0, 100).toArray(), order);
    }
  }

  @Test
  void batchesAndSharesCoverEveryRowOnce() {
    for (int count : new int[] {1, 2, 7, 50, 128}) {
      for (int size : new int[] {1, 2, 3, 32, 128, 1000}) {
        for (int workers : new int[] {1, 2, 3, 5, 64}) {
          cover(new Epochs(0, count, size), workers);
        }
      }
    }
  }

  private static void cover(Epochs epochs, int workers) {
    int next = 0;
    for (int b = 0; b < epochs.batches(); b++) {
      Rows batch = epochs.batch(b);
      assertTrue(batch.count() > 0 && batch.count() <= epochs.batchSize());
      assertTrue(batch.count() == epochs.batchSize() || b == epochs.batches() - 1);
      for (int rank = 0; rank < workers; rank++) {
        Rows share = batch.share(rank, workers);
        assertEquals(next, share.from());
        assertTrue(Math.abs(share.count() - (double) batch.count() / workers) < 1);
        next = share.to();
      }
      assertEquals(batch.to(), next);
    }
    assertEquals(epochs.count(), next);
  }

  @Test
  void theLargestNumbersDoNotOverflow() {
    Epochs epochs = new Epochs(0, Integer.MAX_VALUE, Integer.MAX_VALUE - 1);
    assertEquals(2, epochs.batches());
    assertEquals(new Rows(Integer.MAX_VALUE - 1, Integer.MAX_VALUE), epochs.batch(1));
    assertEquals(
        new Rows(2_147_481_499, Integer.MAX_VALUE),
        new Rows(0, Integer.MAX_VALUE).share(999_999, 1_000_000));
  }

  @Test
  void nonsenseIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> new Epochs(0, 0, 1));
    assertThrows(IllegalArgumentException.class, () -> new Epochs(0, 1, 0));
    assertThrows(IllegalArgumentException.class, () -> new Epochs(0, 4, 2).batch(2));
    assertThrows(IllegalArgumentException.class, () -> new Epochs(0, 4, 2).batch(-1));
    assertThrows(IllegalArgumentException.class, () -> new Rows(3, 2));
    assertThrows(IllegalArgumentException.class, () -> new Rows(-1, 2));
    assertThrows(IllegalArgumentException.class, () -> new Rows(0, 2).share(2, 2));
    assertThrows(IllegalArgumentException.class, () -> new Rows(0, 2).share(0, 0));
  }
}
