package fathom.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.DType;
import fathom.Scope;
import fathom.Tensor;
import fathom.Traced;
import fathom.data.Rows;
import fathom.parallel.Collective;
import fathom.parallel.Step;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DropoutTest {
  private static final int ROWS = 7;
  private static final int WIDTH = 40;

  /// A rank among others whom nobody waits for.
  private record Seat(int rank, int size) implements Collective {
    @Override
    public void allReduce(double[] values) {
      throw new IllegalStateException("dropout needs no barrier");
    }

    @Override
    public void allReduce(Tensor values) {
      throw new IllegalStateException("dropout needs no barrier");
    }

    @Override
    public void broadcast(Tensor values, int root) {
      throw new IllegalStateException("dropout needs no barrier");
    }

    @Override
    public void barrier() {
      throw new IllegalStateException("dropout needs no barrier");
    }
  }

  private static double[] mask(Dropout dropout, long seed, long index) {
    try (var _ = Scope.open()) {
      Tensor x = Tensor.zeros(DType.FLOAT64, ROWS, WIDTH).plus(1);
      return new Step(seed, index, Collective.ALONE, ROWS)
          .run(() -> dropout.forward(x).value().toDoubles());
    }
  }

  @Test
  void whatIsKeptIsScaledAndTheMeanStays() {
    try (var _ = Scope.open()) {
      double[] y =
          new Dropout(0.25, "a")
              .forward(Tensor.zeros(DType.FLOAT64, 200, 500).plus(3))
              .value()
              .toDoubles();
      assertTrue(Arrays.stream(y).allMatch(v -> v == 0 || Math.abs(v - 4) < 1e-12));
      double dropped = Arrays.stream(y).filter(v -> v == 0).count() / (double) y.length;
      assertEquals(0.25, dropped, 0.01, "4 standard deviations are 0.0055");
    }
  }

  /// y is linear in x: y = J·x with J diagonal, and the backward pass is J again.
  @Test
  void theWayBackIsTheSameMask() {
    try (var _ = Scope.open()) {
      Tensor x = Tensor.zeros(DType.FLOAT64, 4, 3, 2).plus(1);
      Traced traced = new Dropout(0.5, "a").forward(x);
      assertArrayEquals(traced.value().toDoubles(), traced.back(x).toDoubles());
      assertFalse(Arrays.equals(x.toDoubles(), traced.value().toDoubles()));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7, 9})
  void workersDropWhatOneWorkerDrops(int workers) {
    double[] whole = mask(new Dropout(0.4, "a"), 3, 5);
    for (int rank = 0; rank < workers; rank++) {
      Rows own = new Rows(0, ROWS).share(rank, workers);
      var step = new Step(3, 5, new Seat(rank, workers), ROWS);
      try (var _ = Scope.open()) {
        Tensor x = Tensor.zeros(DType.FLOAT64, own.count(), WIDTH).plus(1);
        double[] share = step.run(() -> new Dropout(0.4, "a").forward(x).value().toDoubles());
        assertArrayEquals(
            Arrays.copyOfRange(whole, own.from() * WIDTH, own.to() * WIDTH), share, "rank " + rank);
      }
    }
  }

  @Test
  void seedStepAndNameDecideIt() {
    var dropout = new Dropout(0.5, "a");
    double[] one = mask(dropout, 1, 1);
    assertArrayEquals(one, mask(dropout, 1, 1));
    for (double[] other :
        new double[][] {
          mask(dropout, 2, 1), mask(dropout, 1, 2), mask(new Dropout(0.5, "b"), 1, 1)
        }) {
      assertFalse(Arrays.equals(one, other));
    }
    for (int row = 1; row < ROWS; row++) {
      assertFalse(
          Arrays.equals(
              Arrays.copyOf(one, WIDTH), Arrays.copyOfRange(one, row * WIDTH, (row + 1) * WIDTH)),
          "rows have masks of their own");
    }
  }

  @Test
  void computedAgainItIsTheSame() {
    try (var _ = Scope.open()) {
      Tensor x = Tensor.zeros(DType.FLOAT32, ROWS, WIDTH).plus(1);
      var again = new Recompute(Chain.of(new Dropout(0.5, "a"), new Tanh()));
      var step = new Step(1, 9, Collective.ALONE, ROWS);
      Traced plain = step.run(() -> again.layer().forward(x));
      Traced traced = step.run(() -> again.forward(x));
      assertArrayEquals(plain.value().toDoubles(), traced.value().toDoubles());
      assertArrayEquals(
          step.run(() -> plain.back(x).toDoubles()), step.run(() -> traced.back(x).toDoubles()));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"FLOAT32", "FLOAT64", "BFLOAT16"})
  void predictChangesNothingAndTypesStay(String type) {
    try (var _ = Scope.open()) {
      Tensor x = Tensor.zeros(DType.FLOAT32, 2, 3).plus(1.5).to(DType.valueOf(type));
      var dropout = new Dropout(0.5, "a");
      long before = Tensor.live();
      Tensor y = dropout.predict(x);
      assertEquals(before + 1, Tensor.live());
      assertNotSame(x, y);
      assertArrayEquals(x.toDoubles(), y.toDoubles());
      Traced traced = dropout.forward(x);
      assertEquals(before + 3, Tensor.live(), "the value and the mask");
      assertEquals(x.type(), traced.value().type());
      assertEquals(x.type(), traced.back(x).type());
      assertArrayEquals(x.toDoubles(), new Dropout(0, "a").forward(x).value().toDoubles());
      assertEquals(0, dropout.forward(Tensor.zeros(x.type(), 0, 3)).value().shape().elements());
    }
  }

  @Test
  void rubbishIsRefused() {
    for (double rate : new double[] {-0.1, 1, Double.NaN}) {
      var e = assertThrows(IllegalArgumentException.class, () -> new Dropout(rate, "a"));
      assertTrue(e.getMessage().contains(Double.toString(rate)), e.getMessage());
    }
    assertThrows(IllegalArgumentException.class, () -> new Dropout(0.5, ""));
    try (var _ = Scope.open()) {
      Tensor x = Tensor.zeros(DType.FLOAT32, 3, 2);
      var step = new Step(1, 1, Collective.ALONE, 12);
      var e =
          assertThrows(
              IllegalStateException.class, () -> step.run(() -> new Dropout(0.5, "a").forward(x)));
      assertTrue(e.getMessage().contains("a row for each example"), e.getMessage());
    }
  }
}
