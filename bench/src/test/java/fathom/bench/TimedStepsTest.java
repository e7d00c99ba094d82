package fathom.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class TimedStepsTest {
  @Test
  void aLossThatDoesNotFallInTheWarmUpIsRefusedAfterIt() {
    var steps = new TimedSteps("a batch", 2);
    steps.add(1);
    steps.add(1);
    var e = assertThrows(IllegalStateException.class, () -> steps.add(0));
    assertEquals(
        "a batch that is seen again and again is learned, but its loss went from 1.0 to 1.0",
        e.getMessage());
  }

  @Test
  void whatFallsInTheWarmUpMayRiseAfterIt() {
    var steps = new TimedSteps("a batch", 2);
    for (double loss : new double[] {2, 1, 3, 4}) {
      steps.add(loss);
    }
    assertEquals(4, steps.count());
  }

  @Test
  void whatDiffersFromStepToStepIsNotJudged() {
    var steps = new TimedSteps("a batch", 0);
    steps.add(1);
    steps.add(2);
    assertEquals(2, steps.count());
  }
}
