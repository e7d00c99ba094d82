package fathom.lab.instrument;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.RandomKey;
import org.junit.jupiter.api.Test;

/// The linear probe where the answer is known without it.
class LinearProbeTest {
  private static final int ROWS = 4000;

  private static double[][] normal(String purpose, int rows, int features) {
    RandomKey key = RandomKey.of(5, purpose);
    double[][] x = new double[rows][features];
    for (int i = 0; i < rows * features; i++) {
      x[i / features][i % features] = key.normal(i);
    }
    return x;
  }

  private static double[] sum(double[][] x, double noise) {
    RandomKey key = RandomKey.of(6, "noise");
    double[] target = new double[x.length];
    for (int row = 0; row < x.length; row++) {
      target[row] = 7 + noise * key.normal(row);
      for (int f = 0; f < x[row].length; f++) {
        target[row] += (f + 1) * x[row][f];
      }
    }
    return target;
  }

  @Test
  void aWeightedSumIsReadExactlyWhateverTheUnitsOfTheFeatures() {
    double[][] x = normal("x", ROWS, 3);
    double[] target = sum(x, 0);
    assertEquals(1, LinearProbe.r2(x, target), 1e-9);
    for (double[] row : x) {
      row[0] = 1e6 + 1e-3 * row[0];
      row[2] *= -1e5;
    }
    assertEquals(1, LinearProbe.r2(x, target), 1e-9);
  }

  /// Of a sum with weights 1, 2, 3 and noise of variance 14, half of the variance can be read.
  @Test
  void noiseTakesItsShareOfTheVariance() {
    double[][] x = normal("x", ROWS, 3);
    assertEquals(0.5, LinearProbe.r2(x, sum(x, Math.sqrt(14))), 0.03);
  }

  /// With n rows and F features that say nothing, the fit is of noise and R² is about −F/n.
  @Test
  void whatSaysNothingIsBelowZeroBecauseRowsAreHeldOut() {
    double[] noise = sum(new double[ROWS][0], 1);
    double r2 = LinearProbe.r2(normal("x", ROWS, 100), noise);
    assertEquals(-100.0 / (ROWS / 2), r2, 0.02);
    assertTrue(r2 < -0.02, "it saw the rows that it is judged by: " + r2);
  }

  /// The parity of two signs is no weighted sum of them.
  @Test
  void whatIsThereButNotPlainIsNotRead() {
    double[][] x = normal("x", ROWS, 2);
    double[] parity = new double[ROWS];
    for (int row = 0; row < ROWS; row++) {
      parity[row] = Math.signum(x[row][0]) * Math.signum(x[row][1]);
    }
    assertEquals(0, LinearProbe.r2(x, parity), 0.01);
  }

  @Test
  void featuresThatRepeatEachOtherOrDoNotVaryDoNoHarm() {
    double[][] one = normal("x", ROWS, 1);
    double[] target = sum(one, 0);
    double[][] many = new double[ROWS][];
    for (int row = 0; row < ROWS; row++) {
      many[row] = new double[] {one[row][0], 0.1, 2 * one[row][0], -one[row][0], 0};
    }
    assertEquals(1, LinearProbe.r2(many, target), 1e-9);
  }

  /// Worked by hand: the first half says t = x, the second is 2, 3 against targets 2, 4: 1 − 1/2.
  @Test
  void aFixtureWorkedByHand() {
    double[][] x = {{0}, {1}, {2}, {3}};
    assertEquals(0.5, LinearProbe.r2(x, new double[] {0, 1, 2, 4}), 1e-4);
  }

  @Test
  void whatIsNoNumberGivesNone() {
    double[][] x = normal("x", 8, 2);
    double[] target = sum(x, 0);
    assertEquals(Double.NaN, LinearProbe.r2(x, new double[8]));
    x[1][1] = Double.NaN;
    assertEquals(Double.NaN, LinearProbe.r2(x, target));
    x[1][1] = Double.POSITIVE_INFINITY;
    assertEquals(Double.NaN, LinearProbe.r2(x, target));
    x[1][1] = 0;
    x[7][1] = Double.POSITIVE_INFINITY;
    assertEquals(Double.NaN, LinearProbe.r2(x, target));
    x[7][1] = 0;
    target[7] = Double.NaN;
    assertEquals(Double.NaN, LinearProbe.r2(x, target));
  }

  @Test
  void whatIsNoTableIsRefused() {
    double[] four = {1, 2, 3, 4};
    assertThrows(
        IllegalArgumentException.class, () -> LinearProbe.r2(new double[3][2], new double[3]));
    assertThrows(IllegalArgumentException.class, () -> LinearProbe.r2(new double[5][2], four));
    assertThrows(IllegalArgumentException.class, () -> LinearProbe.r2(new double[4][0], four));
    double[][] ragged = {{1}, {1, 2}, {1}, {1}};
    assertThrows(IllegalArgumentException.class, () -> LinearProbe.r2(ragged, four));
  }
}
