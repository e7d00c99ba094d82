package fathom.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;

/// Against the published table, `optdigits.tes` of the UCI repository.
class DigitsTest {
  private final DataSet digits = DataSet.open("digits");

  @Test
  void hasItsCounts() {
    assertEquals("digits", digits.name());
    assertEquals(
        IntStream.range(0, 10).mapToObj(Integer::toString).toList(), List.copyOf(digits.classes()));
    assertEquals("1437×1×8×8", digits.train().toString());
    assertEquals("360×1×8×8", digits.test().toString());
    assertArrayEquals(
        new int[] {143, 146, 142, 146, 144, 145, 144, 143, 141, 143},
        counts(digits.train().images()));
    assertArrayEquals(
        new int[] {35, 36, 35, 37, 37, 37, 37, 36, 33, 37}, counts(digits.test().images()));
  }

  @Test
  void firstImageIsTheZeroThatEverybodyKnows() {
    int[] zero = {
      0, 0, 5, 13, 9, 1, 0, 0, //
      0, 0, 13, 15, 10, 15, 5, 0, //
      0, 3, 15, 2, 0, 11, 8, 0, //
      0, 4, 12, 0, 0, 8, 8, 0, //
      0, 5, 8, 0, 0, 9, 8, 0, //
      0, 4, 11, 0, 1, 12, 7, 0, //
      0, 2, 14, 5, 10, 12, 0, 0, //
      0, 0, 6, 13, 10, 0, 0, 0
    };
    assertEquals(0, digits.train().labels()[0]);
    byte[] expected = new byte[64];
    for (int p = 0; p < 64; p++) {
      expected[p] = (byte) Math.round(zero[p] * 255 / 16.0);
    }
    assertArrayEquals(expected, Arrays.copyOf(digits.train().images().pixels(), 64));
  }

  @Test
  void theTestImagesAreTheLast() {
    int[] labels = digits.test().labels();
    assertArrayEquals(new int[] {2, 3, 4, 5, 6, 7, 8, 9, 0, 9}, Arrays.copyOf(labels, 10));
    assertArrayEquals(
        new int[] {5, 4, 8, 8, 4, 9, 0, 8, 9, 8}, Arrays.copyOfRange(labels, 350, 360));
  }

  /// The checksum and the sum were taken from the published table by another program.
  @Test
  void everyValueIsAsPublished() {
    CRC32 crc = new CRC32();
    long sum = 0;
    for (Images images : List.of(digits.train().images(), digits.test().images())) {
      for (int i = 0; i < images.count(); i++) {
        crc.update(images.labels()[i]);
        for (int p = 0; p < 64; p++) {
          int value = Math.round((images.pixels()[i * 64 + p] & 0xff) * 16 / 255f);
          crc.update(value);
          sum += value;
        }
      }
    }
    assertEquals(561_718, sum);
    assertEquals(0x16bb1288L, crc.getValue());
  }

  private static int[] counts(Images images) {
    int[] counts = new int[10];
    for (int label : images.labels()) {
      counts[label]++;
    }
    return counts;
  }
}
