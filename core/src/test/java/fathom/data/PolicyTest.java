package fathom.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.RandomKey;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What the policies draw.
class PolicyTest {
  private static final int SIDE = 12;
  private static final int DRAWS = 10_000;

  private static byte[] image() {
    byte[] image = new byte[3 * SIDE * SIDE];
    for (int i = 0; i < image.length; i++) {
      image[i] = (byte) RandomKey.of(1, "pixels").bits(i);
    }
    return image;
  }

  private static String after(Policy policy, RandomKey key) {
    byte[] image = image();
    policy.apply(image, 3, SIDE, SIDE, key);
    return new String(image, StandardCharsets.ISO_8859_1);
  }

  private static String after(ImageOperation operation, double magnitude) {
    byte[] image = image();
    operation.apply(image, 3, SIDE, SIDE, magnitude);
    return new String(image, StandardCharsets.ISO_8859_1);
  }

  /// RandAugment with N = 1 makes each of the 14 operations, in both directions where it has two,
  /// equally often: the share of each result is within four standard errors.
  @Test
  void randAugmentDrawsAllOperationsAlike() {
    var expected = new HashMap<String, Double>();
    for (ImageOperation operation : ImageOperation.values()) {
      double magnitude = operation.usual(9, SIDE, SIDE);
      if (operation.isSigned()) {
        expected.merge(after(operation, magnitude), 0.5 / 14, Double::sum);
        expected.merge(after(operation, -magnitude), 0.5 / 14, Double::sum);
      } else {
        expected.merge(after(operation, magnitude), 1.0 / 14, Double::sum);
      }
    }
    var policy = new Policy.RandAugment(1, 9);
    Map<String, Integer> counts = new HashMap<>();
    for (int i = 0; i < DRAWS; i++) {
      counts.merge(after(policy, RandomKey.of(2, "policy").at(i)), 1, Integer::sum);
    }
    assertEquals(expected.keySet(), counts.keySet());
    expected.forEach((result, share) ->
        assertEquals(
            share,
            counts.getOrDefault(result, 0) / (double) DRAWS,
            4 * Math.sqrt(share * (1 - share) / DRAWS)));
  }

  /// N operations are those of N = 1 one after the other, as drawn from the documented numbers.
  @Test
  void randAugmentMakesItsOperationsInARow() {
    ImageOperation[] all = ImageOperation.values();
    for (int i = 0; i < 200; i++) {
      RandomKey key = RandomKey.of(3, "policy").at(i);
      byte[] byHand = image();
      for (int k = 0; k < 3; k++) {
        ImageOperation operation = all[key.below(3L * k, 14)];
        double magnitude = operation.usual(20, SIDE, SIDE);
        boolean back = operation.isSigned() && key.bits(3L * k + 1) < 0;
        operation.apply(byHand, 3, SIDE, SIDE, back ? -magnitude : magnitude);
      }
      byte[] image = image();
      new Policy.RandAugment(3, 20).apply(image, 3, SIDE, SIDE, key);
      assertArrayEquals(byHand, image);
    }
  }

  /// TrivialAugment makes one operation of any strength, and every strength of both directions
  /// occurs.
  @Test
  void trivialAugmentDrawsEveryStrength() {
    var possible = new HashSet<String>();
    for (ImageOperation operation : ImageOperation.values()) {
      for (int bin = 0; bin < ImageOperation.BINS; bin++) {
        possible.add(after(operation, operation.wide(bin)));
        if (operation.isSigned()) {
          possible.add(after(operation, -operation.wide(bin)));
        }
      }
    }
    var drawn = new HashSet<String>();
    for (int i = 0; i < DRAWS; i++) {
      drawn.add(after(new Policy.TrivialAugment(), RandomKey.of(4, "policy").at(i)));
    }
    assertEquals(possible, drawn);
    assertTrue(possible.size() > 400, "%s results are too few to tell".formatted(possible.size()));
  }

  @ParameterizedTest
  @CsvSource({"0, 9", "32, 9", "2, -1", "2, 31"})
  void whatIsOutOfRangeIsRefused(int operations, int magnitude) {
    assertThrows(
        IllegalArgumentException.class, () -> new Policy.RandAugment(operations, magnitude));
  }
}
