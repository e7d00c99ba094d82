package fathom;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

class LifetimeTest {
  /// Of the calling thread nothing is needed: no scope is open.
  @Test
  void whatLivesInItIsForAllThreadsAndEndsOnAny() throws InterruptedException {
    long before = Tensor.live();
    var life = new Lifetime();
    Tensor kept =
        life.in(() -> {
          try (var scope = Scope.open()) {
            return scope.keep(Tensor.of(new double[] {1, 2}, 2).times(3));
          }
        });
    assertEquals(before + 1, Tensor.live(), "the factor died in its scope");
    var seen = new ArrayList<double[]>();
    var other =
        new Thread(() -> {
          try (var _ = Scope.open()) {
            seen.add(kept.plus(1).toDoubles());
          }
          life.in(() -> Tensor.zeros(DType.FLOAT32, 5));
          life.close();
          life.close();
        });
    other.start();
    other.join();
    assertArrayEquals(new double[] {4, 7}, seen.getFirst());
    assertEquals(before, Tensor.live());
    assertThrows(IllegalStateException.class, kept::toDoubles);
    var late = assertThrows(IllegalStateException.class, () -> life.in(() -> 1));
    assertTrue(late.getMessage().contains("closed"), late.getMessage());
  }

  /// Inside a scope, and inside one of shapes, it is neither's.
  @Test
  void theScopesOfTheCallerStayAsTheyAre() {
    long before = Tensor.live();
    var life = new Lifetime();
    var made = new ArrayList<Tensor>();
    for (var open : List.<Supplier<Scope>>of(Scope::open, Scope::ofShapes)) {
      try (var _ = open.get()) {
        made.add(life.in(() -> Tensor.of(new double[] {7}, 1)));
        assertThrows(
            ArithmeticException.class,
            () ->
                life.in(() -> {
                  throw new ArithmeticException("of the caller");
                }));
        Tensor own = Tensor.zeros(DType.FLOAT32, 1);
        assertEquals(before + made.size() + 1, Tensor.live(), "the scope has its own: " + own);
      }
    }
    made.forEach(each -> assertEquals(7, each.item()));
    life.close();
    assertEquals(before, Tensor.live());
  }

  @Test
  void outsideOfItATensorStillNeedsAScope() {
    try (var life = new Lifetime()) {
      life.in(() -> Tensor.zeros(DType.FLOAT32, 1));
      assertThrows(IllegalStateException.class, () -> Tensor.zeros(DType.FLOAT32, 1));
    }
  }
}
