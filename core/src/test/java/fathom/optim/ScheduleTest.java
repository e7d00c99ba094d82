package fathom.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class ScheduleTest {
  private static final StepDecay PAPER = Schedule.steps(0.1, 0.5, 0.75);
  private static final long STEPS = 64_000;

  @Test
  void thePapersRateIsDividedAt32000And48000Steps() {
    assertEquals(List.of(0.5, 0.75), PAPER.fractions());
    assertEquals(0.1, PAPER.at(0, STEPS));
    assertEquals(0.1, PAPER.at(31_999, STEPS));
    assertEquals(0.01, PAPER.at(32_000, STEPS), 1e-17);
    assertEquals(0.01, PAPER.at(47_999, STEPS), 1e-17);
    assertEquals(0.001, PAPER.at(48_000, STEPS), 1e-17);
    assertEquals(0.001, PAPER.at(63_999, STEPS), 1e-17);
  }

  @Test
  void theWarmUpIs400StepsAtATenth() {
    Schedule warm = PAPER.withWarmUp(Schedule.WARM_UP_STEPS);
    assertEquals(0.01, warm.at(0, STEPS), 1e-17);
    assertEquals(0.01, warm.at(399, STEPS), 1e-17);
    assertEquals(0.1, warm.at(400, STEPS));
    assertEquals(0.1, warm.at(31_999, STEPS));
    assertEquals(0.01, warm.at(32_000, STEPS), 1e-17);
  }

  @Test
  void withoutMilestonesTheRateStays() {
    assertEquals(0.3, Schedule.constant(0.3).at(1_000_000, 10));
  }

  @Test
  void fractionsOfFewStepsAreRounded() {
    StepDecay schedule = Schedule.steps(1, 0.6, 0.85);
    assertEquals(1, schedule.at(3, 7));
    assertEquals(0.1, schedule.at(4, 7));
    assertEquals(0.1, schedule.at(5, 7));
    assertEquals(0.01, schedule.at(6, 7), 1e-17);
  }

  @Test
  void rubbishIsRefused() {
    for (double learningRate : new double[] {0, -1, Double.NaN}) {
      var e = assertThrows(IllegalArgumentException.class, () -> Schedule.constant(learningRate));
      assertTrue(e.getMessage().contains(Double.toString(learningRate)), e.getMessage());
    }
    assertThrows(IllegalArgumentException.class, () -> new StepDecay(1, -1, List.of()));
    assertThrows(IllegalArgumentException.class, () -> Schedule.steps(1, 0.75, 0.5));
    assertThrows(IllegalArgumentException.class, () -> Schedule.steps(1, 1.5));
  }

  /// Epochs 3, 4 and 5 find nothing better, which is the first division with a patience of three;
  /// epoch 6 does, so that the next one comes after epoch 9.
  @Test
  void aPlateauDividesAfterEpochsWithoutImprovement() {
    var none = new Plateau(0.1, 4, 3);
    List<Schedule.EpochEnd> improved =
        Stream.of(true, true, false, false, false, true, false, false, false, false)
            .map(better -> new Schedule.EpochEnd(better, Double.NaN))
            .toList();
    int[] divisions = {0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2};
    for (int epochs = 0; epochs <= improved.size(); epochs++) {
      Plateau now = none.after(improved.subList(0, epochs));
      assertEquals(divisions[epochs], now.divisions(), "after " + epochs);
      assertEquals(0.1 * Math.pow(10, -divisions[epochs]), now.at(100, 1000), 1e-17);
      assertEquals(now, now.after(improved.subList(0, epochs)), "it is the history's alone");
    }
    assertEquals(0.01, none.at(3, 1000), 1e-17);
    assertEquals(0.1, none.at(4, 1000));
    assertEquals(PAPER, PAPER.after(improved));
  }

  /// The residual paper's warm-up of 110 layers, by epochs of which the second is the first below
  /// 80 %; a later one above it changes nothing any more.
  @Test
  void aWarmUpEndsWithTheFirstEpochBelowTheBound() {
    var warm = new WarmUpUntil(PAPER, 0.1, 80);
    var epochs = new ArrayList<Schedule.EpochEnd>();
    double[] errors = {80, 79.9, 85, Double.NaN};
    double[] rates = {0.01, 0.01, 0.1, 0.1, 0.1};
    for (int i = 0; i < rates.length; i++) {
      assertEquals(rates[i], warm.after(epochs).at(1000, STEPS), 1e-17, "after " + i);
      assertEquals(warm.after(epochs), warm.after(epochs).after(epochs), "it is the history's");
      if (i < errors.length) {
        epochs.add(new Schedule.EpochEnd(true, errors[i]));
      }
    }
    assertEquals(0.01, warm.after(epochs).at(32_000, STEPS), 1e-17);
    assertEquals(0.01, warm.at(32_000, STEPS), 1e-17, "no epoch was below");
    assertThrows(IllegalArgumentException.class, () -> new WarmUpUntil(PAPER, 0.1, 0));
    assertThrows(IllegalArgumentException.class, () -> new WarmUpUntil(PAPER, 0.1, 101));
  }

  /// Quarters of half a wave: (1 + cos 45°)/2 = 0.853553391.
  @Test
  void theCosineIsAsByHand() {
    double[] learningRates = {0.4, 0.341421356, 0.2, 0.058578644, 0};
    var cosine = Schedule.cosine(0.4);
    var warm = cosine.withWarmUp(2);
    for (int i = 0; i < learningRates.length; i++) {
      assertEquals(learningRates[i], cosine.at(i, 4), 1e-9, "step " + i);
      assertEquals(learningRates[i], warm.at(i + 2, 6), 1e-9, "step " + (i + 2));
    }
    assertEquals(0.04, warm.at(0, 6), 1e-17);
    assertEquals(0.04, warm.at(1, 6), 1e-17);
    assertEquals(0, cosine.at(1000, 4));
    assertEquals(0.1, new Cosine(1, 5).at(4, 5), 1e-17, "nothing but warm-up");
    assertEquals(0, new Cosine(1, 5).at(5, 5));
  }

  /// Thirds of the rise: (1 − cos 60°)/2 = 1/4 and (1 − cos 120°)/2 = 3/4 of 0.04 to 1; sevenths of
  /// the fall.
  @Test
  void oneCycleIsAsByHand() {
    var cycle = Schedule.oneCycle(1);
    double[] rise = {0.04, 0.28, 0.76, 1};
    for (int i = 0; i < rise.length; i++) {
      assertEquals(rise[i], cycle.at(i, 10), 1e-12, "step " + i);
    }
    assertEquals(0.950484539, cycle.at(4, 10), 1e-6); // (1 + cos(π/7))/2
    assertEquals(0.049515461, cycle.at(9, 10), 1e-5); // (1 + cos(6π/7))/2, and 4·10⁻⁶ of the rest
    assertEquals(4e-6, cycle.at(10, 10), 1e-12);
    assertEquals(4e-6, cycle.at(99, 10), 1e-12);
    assertThrows(IllegalArgumentException.class, () -> Schedule.oneCycle(0));
    assertThrows(IllegalArgumentException.class, () -> Schedule.cosine(-1));
  }
}
