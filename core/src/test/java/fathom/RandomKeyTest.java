package fathom;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/// Bounds are five standard errors wide or more. The draws are fixed, so a test that passes once
/// passes always.
class RandomKeyTest {
  private static final int N = 200_000;
  private final RandomKey key = RandomKey.of(7, "test");

  @Test
  void bitsAreThoseOfSplitMix64() {
    long[] published = {
      6457827717110365317L,
      3203168211198807973L,
      Long.parseUnsignedLong("9817491932198370423"),
      4593380528125082431L,
      Long.parseUnsignedLong("16408922859458223821")
    };
    assertArrayEquals(
        published, LongStream.range(0, 5).map(new RandomKey(1234567)::bits).toArray());
  }

  @Test
  void keysDifferBySeedPurposeAndIndex() {
    Set<Long> keys = new HashSet<>();
    for (long seed = -50; seed < 50; seed++) {
      for (String purpose : new String[] {"a", "b", "ab", "ba", "order", "augment"}) {
        keys.add(RandomKey.of(seed, purpose).key());
        for (int i = 0; i < 20; i++) {
          keys.add(RandomKey.of(seed, purpose).at(i).key());
        }
      }
    }
    assertEquals(100 * 6 * 21, keys.size());
    assertEquals(RandomKey.of(3, "order").at(4), RandomKey.of(3, "order").at(4));
    assertNotEquals(key.at(0).at(1), key.at(1).at(0));
    assertThrows(IllegalArgumentException.class, () -> RandomKey.of(1, ""));
  }

  @Test
  void uniformHasItsMomentsAndFillsItsTenths() {
    double[] x = IntStream.range(0, N).mapToDouble(key::uniform).toArray();
    int[] tenths = new int[10];
    for (double v : x) {
      assertTrue(v >= 0 && v < 1);
      tenths[(int) (10 * v)]++;
    }
    assertEquals(0.5, moment(x, 1), 5 * Math.sqrt(1.0 / 12 / N));
    assertEquals(1.0 / 3, moment(x, 2), 5 * Math.sqrt(4.0 / 45 / N));
    assertTrue(chiSquare(tenths) < 9 + 5 * Math.sqrt(18), Arrays.toString(tenths));
  }

  @Test
  void normalHasItsMoments() {
    double[] x = IntStream.range(0, N).mapToDouble(key::normal).toArray();
    assertEquals(0, moment(x, 1), 5 * Math.sqrt(1.0 / N));
    assertEquals(1, moment(x, 2), 5 * Math.sqrt(2.0 / N));
    assertEquals(0, moment(x, 3), 5 * Math.sqrt(15.0 / N));
    assertEquals(3, moment(x, 4), 5 * Math.sqrt(96.0 / N));
    double beyondTwo = Arrays.stream(x).filter(v -> Math.abs(v) > 2).count() / (double) N;
    assertEquals(0.0455, beyondTwo, 5 * Math.sqrt(0.0455 / N));
  }

  @Test
  void neighboursAreNotCorrelated() {
    double[] along = new double[N];
    double[] across = new double[N];
    for (int i = 0; i < N; i++) {
      along[i] = key.normal(i) * key.normal(i + 1);
      across[i] = key.at(i).normal(0) * key.at(i + 1).normal(0);
    }
    assertEquals(0, moment(along, 1), 5 * Math.sqrt(1.0 / N));
    assertEquals(0, moment(across, 1), 5 * Math.sqrt(1.0 / N));
  }

  @Test
  void belowTakesEveryValueEquallyOften() {
    for (int bound : new int[] {1, 2, 3, 7, 10}) {
      int[] counts = new int[bound];
      for (int i = 0; i < N; i++) {
        counts[key.below(i, bound)]++;
      }
      assertTrue(
          chiSquare(counts) <= bound - 1 + 5 * Math.sqrt(2 * (bound - 1)), Arrays.toString(counts));
    }
    assertTrue(
        IntStream.range(0, 1000).map(i -> key.below(i, Integer.MAX_VALUE)).allMatch(v -> v >= 0));
  }

  @Test
  void permutationHasEveryNumberOnce() {
    for (int n : new int[] {0, 1, 2, 3, 10, 1000}) {
      int[] sorted = key.at(n).permutation(n);
      Arrays.sort(sorted);
      assertArrayEquals(IntStream.range(0, n).toArray(), sorted);
    }
  }

  @Test
  void everyPermutationOfFourIsEquallyLikely() {
    int[] counts = new int[256];
    for (int i = 0; i < 24_000; i++) {
      int[] p = key.at(i).permutation(4);
      counts[p[0] * 64 + p[1] * 16 + p[2] * 4 + p[3]]++;
    }
    int[] seen = Arrays.stream(counts).filter(c -> c > 0).toArray();
    assertEquals(24, seen.length);
    assertTrue(chiSquare(seen) < 23 + 5 * Math.sqrt(46), Arrays.toString(seen));
  }

  private static double moment(double[] x, int power) {
    return Arrays.stream(x).map(v -> Math.pow(v, power)).average().orElseThrow();
  }

  /// Against equal expectations. Its mean is one less than the number of cells, its variance twice
  /// that.
  private static double chiSquare(int[] counts) {
    double expected = Arrays.stream(counts).sum() / (double) counts.length;
    return Arrays.stream(counts).mapToDouble(c -> (c - expected) * (c - expected) / expected).sum();
  }
}
