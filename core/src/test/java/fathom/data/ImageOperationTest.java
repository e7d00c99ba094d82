package fathom.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import fathom.RandomKey;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// Every operation on tiny images, worked by hand from its definition.
class ImageOperationTest {
  /// The values 0, 10, 20 to 150 in four rows.
  private static final String STAIRS = "0 10 20 30 / 40 50 60 70 / 80 90 100 110 / 120 130 140 150";

  private static byte[] bytes(String image) {
    String[] numbers = image.replace("/", " ").trim().split("\\s+");
    byte[] bytes = new byte[numbers.length];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) Integer.parseInt(numbers[i]);
    }
    return bytes;
  }

  private static int[] ints(byte[] bytes) {
    int[] ints = new int[bytes.length];
    for (int i = 0; i < ints.length; i++) {
      ints[i] = bytes[i] & 0xff;
    }
    return ints;
  }

  @ParameterizedTest(name = "{0} by {1}")
  @CsvSource(
      delimiter = '|',
      value = {
        "IDENTITY    |   0   | 0 10 20 30 / 40 50 60 70 / 80 90 100 110 / 120 130 140 150",
        // The centre of row y lies at y + 1/2, so that half a magnitude moves it by 0, 0, 1, 1.
        "SHEAR_X     |   0.5 | 0 10 20 30 / 50 60 70 0 / 90 100 110 0 / 140 150 0 0",
        "SHEAR_X     |  -0.5 | 0 10 20 30 / 0 40 50 60 / 0 80 90 100 / 0 0 120 130",
        "SHEAR_Y     |   0.5 | 0 50 60 110 / 40 90 100 150 / 80 130 140 0 / 120 0 0 0",
        "TRANSLATE_X |   1.9 | 0 0 10 20 / 0 40 50 60 / 0 80 90 100 / 0 120 130 140",
        "TRANSLATE_X |  -1.9 | 10 20 30 0 / 50 60 70 0 / 90 100 110 0 / 130 140 150 0",
        "TRANSLATE_Y |   1   | 0 0 0 0 / 0 10 20 30 / 40 50 60 70 / 80 90 100 110",
        "ROTATE      |  90   | 30 70 110 150 / 20 60 100 140 / 10 50 90 130 / 0 40 80 120",
        "ROTATE      | -90   | 120 80 40 0 / 130 90 50 10 / 140 100 60 20 / 150 110 70 30",
        "ROTATE      |  30   | 0 20 30 0 / 0 50 60 110 / 40 90 100 150 / 0 120 130 0",
        "BRIGHTNESS  |  -0.5 | 0 5 10 15 / 20 25 30 35 / 40 45 50 55 / 60 65 70 75",
        "BRIGHTNESS  |   1   | 0 20 40 60 / 80 100 120 140 / 160 180 200 220 / 240 255 255 255",
        // One channel is its own luma.
        "COLOUR      |   0.5 | 0 10 20 30 / 40 50 60 70 / 80 90 100 110 / 120 130 140 150",
        // The mean is 75: 30 becomes 75 − 1.5·45 = 7.5, which is rounded down.
        "CONTRAST    |   0.5 | 0 0 0 7 / 22 37 52 67 / 82 97 112 127 / 142 157 172 187",
        // A plane is as smooth as it can be.
        "SHARPNESS   |   0.5 | 0 10 20 30 / 40 50 60 70 / 80 90 100 110 / 120 130 140 150",
        "POSTERIZE   |   4   | 0 0 16 16 / 32 48 48 64 / 80 80 96 96 / 112 128 128 144",
        "POSTERIZE   |   0   | 0 10 20 30 / 40 50 60 70 / 80 90 100 110 / 120 130 140 150",
        // The threshold is 255 − 155 = 100, which is inverted itself.
        "SOLARIZE    | 155   | 0 10 20 30 / 40 50 60 70 / 80 90 155 145 / 135 125 115 105",
        "AUTO_CONTRAST | 0   | 0 17 34 51 / 68 85 102 119 / 136 153 170 187 / 204 221 238 255",
        // 15 pixels are not the greatest: too few for 255 steps.
        "EQUALIZE    |   0   | 0 10 20 30 / 40 50 60 70 / 80 90 100 110 / 120 130 140 150",
      })
  void stairsBecome(ImageOperation operation, double magnitude, String expected) {
    byte[] image = bytes(STAIRS);
    operation.apply(image, 1, 4, 4, magnitude);
    assertArrayEquals(ints(bytes(expected)), ints(image));
  }

  /// 130 alone among zeros is smoothed to 5·130/13 = 50, and its inner neighbours to 10. Border
  /// pixels stay.
  @ParameterizedTest
  @CsvSource({"-1, 50, 10", "-0.5, 90, 5", "0.5, 170, 0", "1, 210, 0"})
  void sharpnessGoesFromTheSmoothedImageToTheImageAndBeyond(double by, int peak, int beside) {
    byte[] image = bytes("0 0 0 0 / 0 130 0 0 / 0 0 0 0 / 0 0 0 0");
    ImageOperation.SHARPNESS.apply(image, 1, 4, 4, by);
    int[] expected = new int[16];
    expected[5] = peak;
    expected[6] = beside;
    expected[9] = beside;
    expected[10] = beside;
    assertArrayEquals(expected, ints(image));
  }

  /// Two pixels, (200, 100, 50) and (10, 20, 30), have the luma 0.299·200 + 0.587·100 + 0.114·50 =
  /// 124.2 and 18.15.
  @Test
  void coloursMoveAwayFromTheirLuma() {
    byte[] image = bytes("200 10 100 20 50 30");
    ImageOperation.COLOUR.apply(image, 3, 1, 2, 0.5);
    assertArrayEquals(new int[] {238, 6, 88, 21, 13, 36}, ints(image));
    byte[] grey = bytes("200 10 100 20 50 30");
    ImageOperation.COLOUR.apply(grey, 3, 1, 2, -1);
    assertArrayEquals(new int[] {124, 18, 124, 18, 124, 18}, ints(grey));
  }

  /// The mean of the lumas 124 and 18 is 71, for all channels.
  @Test
  void contrastIsAroundTheMeanLuma() {
    byte[] image = bytes("200 10 100 20 50 30");
    ImageOperation.CONTRAST.apply(image, 3, 1, 2, 0.5);
    assertArrayEquals(new int[] {255, 0, 114, 0, 39, 9}, ints(image));
  }

  /// 600 fives, 400 sixes and 24 times 200: a step is ⌊1000/255⌋ = 3, so five goes to ⌊1/3⌋ = 0,
  /// six to ⌊601/3⌋ = 200, and the greatest to ⌊1001/3⌋, which is more than 255.
  @Test
  void valuesAreEqualizedByTheirCounts() {
    byte[] image = new byte[1024];
    Arrays.fill(image, 0, 600, (byte) 5);
    Arrays.fill(image, 600, 1000, (byte) 6);
    Arrays.fill(image, 1000, 1024, (byte) 200);
    ImageOperation.EQUALIZE.apply(image, 1, 32, 32, 0);
    assertEquals(0, image[0] & 0xff);
    assertEquals(200, image[600] & 0xff);
    assertEquals(255, image[1023] & 0xff);
  }

  @Test
  void channelsAreSpreadAndEqualizedOneByOne() {
    byte[] image = bytes("50 60 75 100 / 0 0 0 0 / 0 10 20 30");
    ImageOperation.AUTO_CONTRAST.apply(image, 3, 2, 2, 0);
    assertArrayEquals(new int[] {0, 51, 127, 255, 0, 0, 0, 0, 0, 85, 170, 255}, ints(image));
  }

  /// The greatest and the middle strength, by RandAugment in images of 331×662 and by
  /// TrivialAugment.
  @ParameterizedTest
  @CsvSource({
    "IDENTITY, 0, 0, 0, 0, false",
    "SHEAR_X, 0.3, 0.15, 0.99, 0.495, true",
    "SHEAR_Y, 0.3, 0.15, 0.99, 0.495, true",
    "TRANSLATE_X, 300, 150, 32, 16, true",
    "TRANSLATE_Y, 150, 75, 32, 16, true",
    "ROTATE, 30, 15, 135, 67.5, true",
    "BRIGHTNESS, 0.9, 0.45, 0.99, 0.495, true",
    "COLOUR, 0.9, 0.45, 0.99, 0.495, true",
    "CONTRAST, 0.9, 0.45, 0.99, 0.495, true",
    "SHARPNESS, 0.9, 0.45, 0.99, 0.495, true",
    "POSTERIZE, 4, 2, 6, 3, false",
    "SOLARIZE, 255, 127.5, 255, 127.5, false",
    "AUTO_CONTRAST, 0, 0, 0, 0, false",
    "EQUALIZE, 0, 0, 0, 0, false",
  })
  void theRangesAreThoseOfTorchvision(
      ImageOperation operation,
      double greatest,
      double middle,
      double wide,
      double wideMiddle,
      boolean signed) {
    assertEquals(greatest, operation.usual(30, 331, 662), 1e-12);
    assertEquals(middle, operation.usual(15, 331, 662), 1e-12);
    assertEquals(0, operation.usual(0, 331, 662));
    assertEquals(wide, operation.wide(30), 1e-12);
    assertEquals(wideMiddle, operation.wide(15), 1e-12);
    assertEquals(signed, operation.isSigned());
  }

  /// At strength 0 only what has no strength changes an image.
  @ParameterizedTest
  @EnumSource(
      mode = EnumSource.Mode.EXCLUDE,
      names = {"AUTO_CONTRAST", "EQUALIZE"})
  void noStrengthIsNoChange(ImageOperation operation) {
    byte[] image = new byte[3 * 7 * 5];
    for (int i = 0; i < image.length; i++) {
      image[i] = (byte) RandomKey.of(1, "pixels").below(i, 255); // 255 would be inverted
    }
    byte[] before = image.clone();
    operation.apply(image, 3, 7, 5, operation.usual(0, 7, 5));
    assertArrayEquals(before, image);
    operation.apply(image, 3, 7, 5, operation.wide(0));
    assertArrayEquals(before, image);
  }
}
