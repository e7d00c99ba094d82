package fathom.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.data.DataSet;
import fathom.net.Architecture;
import fathom.optim.ExponentialSweep;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class RateRangeTestTest {
  /// From 10⁻⁷ to 10 in nine steps each is ten times the one before.
  @Test
  void theRatesOfASweepByHand() {
    var sweep = new ExponentialSweep(1e-7, 10, 9);
    for (int step = 0; step < 9; step++) {
      double expected = Double.parseDouble("1e" + (step - 7));
      assertEquals(expected, sweep.at(step, 1000), 1e-14 * expected);
    }
    assertEquals(10, sweep.at(9, 1000), "it stays at the end");
    for (double low : new double[] {0, -1, 10, 11, Double.NaN}) {
      assertThrows(IllegalArgumentException.class, () -> new ExponentialSweep(low, 10, 9));
    }
    assertThrows(IllegalArgumentException.class, () -> new ExponentialSweep(1, 10, 1));
  }

  private static RateRangeTest.Result of(int count, IntToDoubleFunction loss) {
    return RateRangeTest.Result.of(
        IntStream.range(0, count).mapToDouble(i -> Math.pow(2, i)).toArray(),
        IntStream.range(0, count).mapToDouble(loss).toArray(),
        false);
  }

  /// The loss falls by an S from 20 to 10, steepest at step 15, and rises again around step 30.
  @Test
  void theSteepestRateAndTheLeastLossByHand() {
    var result =
        of(
            45,
            i ->
                15 - 5 * Math.tanh((i - 15) / 2.0) + 0.01 * (i - 30) * (i - 30) * (i > 30 ? 1 : 0));
    assertEquals(Math.pow(2, 15), result.steepest());
    double least = result.minimum() == null ? 0 : result.minimum();
    assertTrue(least >= Math.pow(2, 25) && least <= Math.pow(2, 31), "" + least);
    assertEquals(least / 10, result.suggested());
    var valley = of(25, i -> Math.abs(i - 12));
    assertEquals(Math.pow(2, 12), valley.minimum());
    assertEquals(20.0 / 9, valley.points().get(12).smoothed(), 1e-12, "the mean of nine steps");
    assertEquals(12, valley.points().getFirst().smoothed(), "at an end there is no other side");
  }

  @Test
  void aLossThatNeverFallsSuggestsNothing() {
    var result = of(20, i -> i);
    assertNull(result.minimum());
    assertNull(result.steepest());
    assertNull(result.suggested());
  }

  /// The first step is that of a training, and nothing is written.
  @Test
  void aSweepTakesTheStepsOfTheRecipe() {
    DataSet digits = DataSet.open("digits");
    DataSet few =
        new DataSet("digits", digits.classes(), digits.train().take(90), digits.test().take(20));
    Recipe recipe =
        Recipe.usual(Architecture.images("mlp", Architecture.Options.NONE), few, 3, 1)
            .withBatch(30);
    int[] last = {0};
    var result = RateRangeTest.of(recipe, few, 0, step -> last[0] = step);
    List<RateRangeTest.Point> points = result.points();
    assertEquals(last[0], points.size());
    assertTrue(points.size() > 60 && points.size() <= RateRangeTest.STEPS, "" + points.size());
    assertEquals(1e-7, points.getFirst().rate());
    assertEquals(1e-7 * Math.pow(1e8, 9 / 99.0), points.get(9).rate(), 1e-15);
    double[] losses = points.stream().mapToDouble(RateRangeTest.Point::loss).toArray();
    assertTrue(Arrays.stream(losses).allMatch(Double::isFinite));
    assertEquals(losses[0], losses[3], 0.5, "three steps later the images are the same");
    assertNotNull(result.suggested());
    assertTrue(result.suggested() > 1e-5 && result.suggested() < 1, "" + result.suggested());
  }
}
