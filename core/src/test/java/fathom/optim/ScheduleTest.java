package fathom.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class ScheduleTest {
  private static final Schedule PAPER = Schedule.divided(0.1, 64_000, 0.5, 0.75);

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
    Schedule schedule = Schedule.divided(1, 7, 0.6, 0.85);
    assertEquals(List.of(4L, 6L), schedule.milestones());
    assertEquals(1, schedule.at(3));
    assertEquals(0.1, schedule.at(4));
    assertEquals(0.01, schedule.at(6), 1e-17);
  }

  @Test
  void rubbishIsRefused() {
    for (double rate : new double[] {0, -1, Double.NaN}) {
      var e = assertThrows(IllegalArgumentException.class, () -> new Schedule(rate, 0, List.of()));
      assertTrue(e.getMessage().contains(Double.toString(rate)), e.getMessage());
    }
    assertThrows(IllegalArgumentException.class, () -> new Schedule(1, -1, List.of()));
  }
}
