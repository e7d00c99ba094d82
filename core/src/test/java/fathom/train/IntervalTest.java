package fathom.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.task.Evaluation;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class IntervalTest {
  /// Wilson 1927. The first and last by hand: with no error from 0 to z²/(n + z²).
  @ParameterizedTest
  @CsvSource({"0, 10, 0, 27.75", "1, 10, 1.79, 40.42", "5, 10, 23.66, 76.34", "10, 10, 72.25, 100"})
  void knownIntervals(long errors, int count, double low, double high) {
    var interval = new Evaluation(count, errors, 1).interval();
    assertEquals(low, interval.low(), 0.005);
    assertEquals(high, interval.high(), 0.005);
    assertTrue(interval.low() <= 100.0 * errors / count);
  }
}
