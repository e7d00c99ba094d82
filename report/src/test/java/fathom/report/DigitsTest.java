package fathom.report;

import static org.junit.jupiter.api.Assertions.assertEquals;

import fathom.RandomKey;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DigitsTest {
  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "-0.0, 0",
    "60000, 60000",
    "1234567, 1234567",
    "123456.7, 123457",
    "0.1, 0.1",
    "0.123456789, 0.12346",
    "-0.123454, -0.12345",
    "99999.6, 100000",
    "0.00001, 0.00001",
    "0.0000015, 1.5e-6",
    "9.1e-11, 9.1e-11",
    "1e300, 1e300",
    "4.9e-324, 4.9407e-324",
    "NaN, NaN",
    "-Infinity, -Infinity",
  })
  void roundsByHand(double value, String text) {
    assertEquals(text, Digits.rounded(value));
  }

  @Test
  void whatIsReadBackIsTheNumber() {
    RandomKey key = RandomKey.of(1, "digits");
    for (int i = 0; i < 20_000; i++) {
      double value = Double.longBitsToDouble(key.bits(i));
      if (Double.isFinite(value)) {
        assertEquals(value, Double.parseDouble(Digits.exact(value)));
        double rounded = Double.parseDouble(Digits.rounded(value));
        assertEquals(value, rounded, 5.1e-5 * Math.abs(value) + Double.MIN_VALUE);
      }
      long whole = key.bits(i) >> 15;
      assertEquals(Long.toString(whole), Digits.rounded((double) whole));
    }
  }
}
