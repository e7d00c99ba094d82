package fathom.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GrowthSuiteTest {
  private static final GrowthSuite.Sweep SWEEP =
      new GrowthSuite.Sweep("work", "pieces", 10, 20, 40, 100);

  private static Result ratio(IntToDoubleFunction cost) {
    double[][] runs =
        IntStream.of(SWEEP.sizes())
            .mapToObj(n -> new double[] {cost.applyAsDouble(n), 2 * cost.applyAsDouble(n)})
            .toArray(double[][]::new);
    return SWEEP.results("ms", runs).getLast();
  }

  @ParameterizedTest
  @CsvSource({"0, 3", "1000, 3", "1000, 0.01"})
  void linearGrowthIsOneHoweverMuchDoesNotGrow(double fixed, double each) {
    assertEquals(1, ratio(n -> fixed + each * n).median(), 1e-9);
  }

  @Test
  void squaresGrowAsFarAsTheirSizes() {
    // (100² - 40²) / 60 = 140, and (40² - 10²) / 30 = 50.
    Result ratio = ratio(n -> n * (double) n);
    assertEquals(2.8, ratio.median(), 1e-9);
    assertEquals("times", ratio.unit());
  }

  @Test
  void everySizeHasALine() {
    List<Result> all = SWEEP.results("MB", new double[][] {{1}, {2}, {4}, {10}});
    assertEquals(
        List.of("work, 10 pieces", "work, 20 pieces", "work, 40 pieces", "work, 100 pieces"),
        all.stream().limit(4).map(Result::name).toList());
    assertEquals(List.of(1.0, 2.0, 4.0, 10.0, 1.0), all.stream().map(Result::median).toList());
  }

  @Test
  void shardsHaveAsManyImagesAsAreAskedFor() {
    try (var shards = SyntheticShards.make(601)) {
      assertEquals(601, SyntheticShards.count(shards.folder()));
    }
  }
}
