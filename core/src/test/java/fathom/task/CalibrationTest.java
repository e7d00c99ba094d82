package fathom.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.Scope;
import fathom.Tensor;
import fathom.data.Rows;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Exchanger;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class CalibrationTest {
  /// Two of four predictions share bin 14, from 13/15 to 14/15; the one with NaN does not count.
  @Test
  void theErrorOfATableByHand() {
    var calibration =
        Calibration.of(
            new double[] {0.9, 0.92, 0.5, 1, Double.NaN},
            new boolean[] {true, false, true, false, true});
    assertEquals(Calibration.BINS, calibration.bins().size());
    assertEquals(4, calibration.count());
    assertEquals(new Calibration.Bin(2, (0.9 + 0.92) / 2, 0.5), calibration.bins().get(13));
    assertEquals(new Calibration.Bin(1, 0.5, 1), calibration.bins().get(7));
    assertEquals(new Calibration.Bin(1, 1, 0), calibration.bins().get(14));
    assertEquals(0.41 * 2 / 4 + 0.5 / 4 + 1.0 / 4, calibration.error(), 1e-15);
  }

  /// A bin contains its upper end and not its lower one (the paper's section 2).
  @Test
  void binsContainTheirUpperEnds() {
    var calibration = Calibration.of(new double[] {0, 0.2, 0.6, 1}, new boolean[4]);
    for (int bin : new int[] {0, 2, 8, 14}) {
      assertEquals(1, calibration.bins().get(bin).count(), "bin " + bin);
    }
  }

  @Test
  void perfectAndNoPredictionsHaveNoError() {
    assertEquals(0, Calibration.of(new double[] {1, 1}, new boolean[] {true, true}).error());
    assertEquals(0, Calibration.of(new double[0], new boolean[0]).error());
  }

  @Test
  void damagedBinsAreRefused() {
    var bin = new Calibration.Bin(1, 0.5, 0.5);
    assertThrows(IllegalArgumentException.class, () -> new Calibration(List.of()));
    assertThrows(IllegalArgumentException.class, () -> new Calibration(List.of(bin, bin)));
    assertThrows(IllegalArgumentException.class, () -> new Calibration.Bin(-1, 0.5, 0.5));
    assertThrows(IllegalArgumentException.class, () -> new Calibration.Bin(1, 1.5, 0.5));
    assertThrows(
        IllegalArgumentException.class,
        () -> new TemperatureScaling(0, 1, 0, new Calibration(List.of(bin))));
  }

  private static Temperature shown(int[] labels, double... logits) {
    var temperature = new Temperature(labels, 2);
    try (var _ = Scope.open()) {
      temperature.at(
          new Rows(0, labels.length),
          Tensor.of(logits, labels.length, logits.length / labels.length));
    }
    return temperature;
  }

  /// Four images with the logits a and 0, of which three are of the first class: the best
  /// probability is 3/4, so that a/T = ln 3.
  @Test
  void aTemperatureByHand() {
    for (double a : new double[] {0.5, 2, 8}) {
      double found = shown(new int[] {0, 1, 0, 0}, a, 0, a, 0, a, 0, a, 0).fit(_ -> {});
      assertEquals(a / Math.log(3), found, 1e-8);
    }
  }

  @Test
  void withoutAnErrorOrWithErrorsAloneItIsAtItsEnds() {
    assertEquals(Temperature.LEAST, shown(new int[] {0}, 3, 0).fit(_ -> {}));
    assertEquals(Temperature.MOST, shown(new int[] {1}, 3, 0).fit(_ -> {}));
    assertEquals(
        Temperature.MOST, shown(new int[] {0}, Double.NaN, 0).fit(_ -> {}), "nothing is known");
  }

  /// No temperature near by has a smaller cross-entropy; logits far from 0 do not overflow.
  @Test
  void itIsTheMinimum() {
    double[] logits = {1e4, 1e4 - 3, 2, -5, -1e4, 3 - 1e4, 4, 1, 0, 2, 7, 7.5};
    int[] labels = {0, 0, 0, 0, 1, 1};
    double t = shown(labels, logits).fit(_ -> {});
    for (double other : new double[] {0.9 * t, 0.999 * t, 1.001 * t, 1.1 * t}) {
      assertTrue(crossEntropy(logits, labels, t) < crossEntropy(logits, labels, other), "" + other);
    }
  }

  private static double crossEntropy(double[] logits, int[] labels, double temperature) {
    double sum = 0;
    for (int i = 0; i < labels.length; i++) {
      sum -= Temperature.logProbability(logits, 2 * i, 2, labels[i], temperature);
    }
    return sum;
  }

  /// Two workers, each with an image of two, find what one finds.
  @Test
  void workersSumWhatTheyHave() {
    double[][] images = {{2, 0}, {1, 3}, {4, 0}};
    int[] labels = {0, 0, 0};
    var whole = shown(labels, 2, 0, 1, 3, 4, 0);
    double expected = whole.fit(_ -> {});
    var other = new Temperature(labels, 2);
    var own = new Temperature(labels, 2);
    try (var _ = Scope.open()) {
      own.at(new Rows(0, 1), Tensor.of(images[0], 1, 2));
      other.at(new Rows(1, 3), Tensor.of(new double[] {1, 3, 4, 0}, 2, 2));
    }
    var sums = new Exchanger<double[]>();
    Consumer<double[]> all =
        values -> {
          try {
            double[] theirs = sums.exchange(values.clone());
            for (int i = 0; i < values.length; i++) {
              values[i] += theirs[i];
            }
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
        };
    var found = CompletableFuture.supplyAsync(() -> other.fit(all));
    assertEquals(expected, own.fit(all), 1e-9);
    assertEquals(expected, found.join(), 1e-9);
  }
}
