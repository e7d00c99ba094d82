package fathom.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ScheduleTest {
  /// He et al. 2016, section 4.2: 0.1, divided by ten at 32k and 48k of 64k iterations; with 110
  /// layers 0.01 for about 400 iterations before.
  @ParameterizedTest
  @CsvSource({
    "0, 0.01",
    "399, 0.01",
    "400, 0.1",
    "31999, 0.1",
    "32000, 0.01",
    "47999, 0.01",
    "48000, 0.001",
    "63999, 0.001"
  })
  void isThePapers(long step, double rate) {
    var schedule = Schedule.divided(0.1, 64_000, 0.5, 0.75).withWarmUp(Schedule.WARM_UP_STEPS);
    assertEquals(rate, schedule.at(step), 1e-12);
  }

  @Test
  void refusesRatesThatDoNotTrain() {
    assertThrows(IllegalArgumentException.class, () -> new Schedule(0, 0, List.of()));
    assertThrows(IllegalArgumentException.class, () -> new Schedule(Double.NaN, 0, List.of()));
    assertThrows(IllegalArgumentException.class, () -> new Schedule(0.1, -1, List.of()));
  }
}
