package fathom.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class ScheduleTest {
  private static final Divided PAPER = Schedule.divided(0.1, 64_000, 0.5, 0.75);

  @Test
  void thePapersRateIsDividedAt32000And48000Steps() {
    assertEquals(List.of(32_000L, 48_000L), PAPER.milestones());
    assertEquals(0.1, PAPER.at(0));
    assertEquals(0.1, PAPER.at(31_999));
    assertEquals(0.01, PAPER.at(32_000), 1e-17);
    assertEquals(0.01, PAPER.at(47_999), 1e-17);
    assertEquals(0.001, PAPER.at(48_000), 1e-17);
    assertEquals(0.001, PAPER.at(63_999), 1e-17);
  }

  @Test
  void theWarmUpIs400StepsAtATenth() {
    Schedule warm = PAPER.withWarmUp(Schedule.WARM_UP_STEPS);
    assertEquals(0.01, warm.at(0), 1e-17);
    assertEquals(0.01, warm.at(399), 1e-17);
    assertEquals(0.1, warm.at(400));
    assertEquals(0.1, warm.at(31_999));
    assertEquals(0.01, warm.at(32_000), 1e-17);
  }

  @Test
  void withoutMilestonesTheRateStays() {
    assertEquals(0.3, Schedule.divided(0.3, 10).at(1_000_000));
  }

  @Test
  void fractionsOfFewStepsAreRounded() {
    Divided schedule = Schedule.divided(1, 7, 0.6, 0.85);
    assertEquals(List.of(4L, 6L), schedule.milestones());
    assertEquals(1, schedule.at(3));
    assertEquals(0.1, schedule.at(4));
    assertEquals(0.01, schedule.at(6), 1e-17);
  }

  @Test
  void rubbishIsRefused() {
    for (double rate : new double[] {0, -1, Double.NaN}) {
      var e = assertThrows(IllegalArgumentException.class, () -> new Divided(rate, 0, List.of()));
      assertTrue(e.getMessage().contains(Double.toString(rate)), e.getMessage());
    }
    assertThrows(IllegalArgumentException.class, () -> new Divided(1, -1, List.of()));
  }

  /// Quarters of half a wave: (1 + cos 45°)/2 = 0.853553391.
  @Test
  void theCosineIsAsByHand() {
    double[] rates = {0.4, 0.341421356, 0.2, 0.058578644, 0};
    var cosine = new Cosine(0.4, 0, 4);
    var warm = new Cosine(0.4, 2, 6);
    for (int i = 0; i < rates.length; i++) {
      assertEquals(rates[i], cosine.at(i), 1e-9, "step " + i);
      assertEquals(rates[i], warm.at(i + 2), 1e-9, "step " + (i + 2));
    }
    assertEquals(0.04, warm.at(0), 1e-17);
    assertEquals(0.04, warm.at(1), 1e-17);
    assertEquals(0, cosine.at(1000));
    assertEquals(0.1, new Cosine(1, 5, 5).at(4), 1e-17, "nothing but warm-up");
    assertEquals(0, new Cosine(1, 5, 5).at(5));
  }

  /// Thirds of the rise: (1 − cos 60°)/2 = 1/4 and (1 − cos 120°)/2 = 3/4 of 0.04 to 1; sevenths of
  /// the fall.
  @Test
  void oneCycleIsAsByHand() {
    var cycle = new OneCycle(1, 10);
    double[] rise = {0.04, 0.28, 0.76, 1};
    for (int i = 0; i < rise.length; i++) {
      assertEquals(rise[i], cycle.at(i), 1e-12, "step " + i);
    }
    assertEquals(0.950484539, cycle.at(4), 1e-6); // (1 + cos(π/7))/2
    assertEquals(0.049515461, cycle.at(9), 1e-5); // (1 + cos(6π/7))/2, and 4·10⁻⁶ of the rest
    assertEquals(4e-6, cycle.at(10), 1e-12);
    assertEquals(4e-6, cycle.at(99), 1e-12);
    var e = assertThrows(IllegalArgumentException.class, () -> cycle.withWarmUp(400));
    assertTrue(e.getMessage().contains("400"), e.getMessage());
    assertThrows(IllegalArgumentException.class, () -> new OneCycle(1, 0));
    assertThrows(IllegalArgumentException.class, () -> new Cosine(1, 0, 0));
  }
}
