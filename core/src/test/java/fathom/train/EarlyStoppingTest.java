package fathom.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class EarlyStoppingTest {
  private static List<Metrics.Epoch> epochs(double... errors) {
    var epochs = new ArrayList<Metrics.Epoch>();
    for (double error : errors) {
      int epoch = epochs.size() + 1;
      epochs.add(
          new Metrics.Epoch(
              epoch, 7L * epoch, 0.1, 1, 50, 1, error, 0, 0, Metrics.Split.VALIDATION));
    }
    return epochs;
  }

  private static EarlyStopping.@Nullable Stop stop(
      int patience, double minDelta, double... errors) {
    return new EarlyStopping(patience, minDelta).stop(epochs(errors));
  }

  /// 8.05 and 7.95 are not below 8 by more than 0.1, but 7.8 is.
  @Test
  void aScriptedSequence() {
    assertNull(stop(2, 0.1));
    assertNull(stop(2, 0.1, 10));
    assertNull(stop(2, 0.1, 10, 8));
    assertNull(stop(2, 0.1, 10, 8, 8.05));
    assertEquals(new EarlyStopping.Stop(4, 2, 8), stop(2, 0.1, 10, 8, 8.05, 7.95));
    assertNull(stop(3, 0.1, 10, 8, 8.05, 7.95, 7.8));
    assertEquals(
        new EarlyStopping.Stop(8, 5, 7.8), stop(3, 0.1, 10, 8, 8.05, 7.95, 7.8, 9, 9, 7.75));
    assertNull(stop(2, 0, 10, 8, 8.05, 7.95), "without a difference any smaller error counts");
    assertEquals(new EarlyStopping.Stop(2, 1, 8), stop(1, 0, 8, 8), "an equal error is no better");
  }

  @Test
  void noPatienceMeansToTheEnd() {
    assertNull(EarlyStopping.NONE.stop(epochs(1, 2, 3, 4)));
  }

  @Test
  void whatIsNoNumberIsNoImprovement() {
    assertEquals(new EarlyStopping.Stop(3, 1, 8), stop(2, 0, 8, Double.NaN, Double.NaN));
    assertNull(stop(2, 0, Double.NaN, Double.NaN, 9));
  }

  @Test
  void whatIsOutOfRangeIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> new EarlyStopping(-1, 0));
    assertThrows(IllegalArgumentException.class, () -> new EarlyStopping(1, -0.1));
    assertThrows(IllegalArgumentException.class, () -> new EarlyStopping(1, Double.NaN));
    assertThrows(
        IllegalArgumentException.class, () -> new EarlyStopping(1, Double.POSITIVE_INFINITY));
  }
}
