package fathom.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.data.DataSet;
import fathom.io.SafeTensors;
import fathom.net.CifarNet;
import fathom.task.Answers;
import fathom.task.ClassBalance;
import fathom.task.TemperatureScaling;
import fathom.train.EarlyStopping;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Early stopping, class weights and balanced sampling go on bit by bit, and do not depend on the
/// workers.
class ExactOptionsTest {
  private static final DataSet DIGITS = DataSet.open("digits");

  /// Seven steps an epoch at a batch of 15, with 20 images for validation.
  private static final DataSet FEW =
      new DataSet("digits", DIGITS.classes(), DIGITS.train().take(120), DIGITS.test().take(30));

  @TempDir Path folder;

  /// With seed 5 an activation of the first step lies within rounding of the rectifier's kink,
  /// where the gradient jumps, so that other numbers of workers part; with others they agree to
  /// 10⁻⁷.
  ///
  /// No difference is large enough, so a training with early stopping ends after its third epoch.
  private Run run(String name, String option, int workers) {
    Recipe usual =
        Recipe.usual(CifarNet.named("resnet8").withWidth(4), FEW, 6, workers)
            .withEpochs(5)
            .withBatch(15)
            .withValidation(20)
            .optimized(o -> o.withRate(0.01)); // at which rounding does not grow much
    Sampling sampling = usual.sampling();
    Recipe recipe =
        switch (option) {
          case "stop" -> usual.with(sampling.withEarlyStop(new EarlyStopping(2, 100)));
          case "sampling" -> usual.with(sampling.withBalanced(true)).withEpochs(2);
          default ->
              usual
                  .withEpochs(2)
                  .optimized(o ->
                      o.withSmoothing(0.1)
                          .withClassWeights(
                              ClassBalance.inverse(new int[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})));
        };
    return Run.create(folder.resolve(name), recipe, FEW);
  }

  @ParameterizedTest
  @CsvSource({"stop, 1, 4", "stop, 1, 7", "weights, 2, 5", "sampling, 1, 4", "sampling, 2, 7"})
  void aStoppedTrainingGoesOnBitByBit(String option, int workers, int every) {
    Run whole = run("whole", option, workers);
    RunTraining.train(whole, FEW);
    Run stopped = run("stopped", option, workers);
    boolean finished = false;
    while (!finished) {
      var steps = new AtomicLong();
      finished =
          RunTraining.train(
                  Run.open(stopped.folder()),
                  FEW,
                  Progress.NONE,
                  () -> steps.incrementAndGet() == every)
              .finished();
    }
    assertEquals(Bits.of(whole), Bits.of(stopped));
    assertEquals(whole.earlyStop(), stopped.earlyStop());
    assertEquals(option.equals("stop"), whole.earlyStop().isPresent());
  }

  @Test
  void aTrainingStopsEarlyAndStaysThere() {
    Run run = run("run", "stop", 1);
    var result = RunTraining.train(run, FEW);
    assertTrue(result.finished());
    assertEquals(21, result.step());
    assertEquals(35, result.steps());
    EarlyStopping.Stop stop = run.earlyStop().orElseThrow();
    assertEquals(3, stop.epoch());
    assertEquals(1, stop.best(), "no later error is better by a hundred points");
    var again = RunTraining.train(Run.open(run.folder()), FEW);
    assertEquals(21, again.step());
    assertEquals(result.tested(), again.tested());
    Run patient =
        Run.open(run.folder())
            .goOn(
                run.recipe().with(run.recipe().sampling().withEarlyStop(EarlyStopping.NONE)),
                FEW,
                false);
    assertEquals(35, RunTraining.train(patient, FEW).step());
    assertTrue(patient.earlyStop().isEmpty());
  }

  @ParameterizedTest
  @ValueSource(strings = {"weights", "sampling"})
  void theNumberOfWorkersChangesOnlyRounding(String option) {
    Run one = run("one", option, 1);
    Run three = run("three", option, 3);
    RunTraining.train(one, FEW);
    RunTraining.train(three, FEW);
    try (var a = SafeTensors.open(one.checkpoint());
        var b = SafeTensors.open(three.checkpoint())) {
      for (String name : a.names()) {
        float[] x = a.tensor(name).bytes().toArray(ValueLayout.JAVA_FLOAT);
        float[] y = b.tensor(name).bytes().toArray(ValueLayout.JAVA_FLOAT);
        for (int i = 0; i < x.length; i++) {
          assertEquals(x[i], y[i], 1e-4, name);
        }
      }
    }
    assertEquals(scaling(one).temperature(), scaling(three).temperature(), 1e-2);
  }

  private static TemperatureScaling scaling(Run run) {
    return Objects.requireNonNull(run.answers().orElseThrow().scaling());
  }

  /// The options do something, and the answers of the run are read as they were written.
  @Test
  void theOptionsChangeTheTraining() {
    Run weighted = run("weighted", "weights", 1);
    Run sampled = run("sampled", "sampling", 1);
    RunTraining.train(weighted, FEW);
    RunTraining.train(sampled, FEW);
    assertNotEquals(Bits.of(weighted), Bits.of(sampled));
    Answers answers = sampled.answers().orElseThrow();
    assertEquals(20, scaling(sampled).fittedOn());
    assertEquals(30, Objects.requireNonNull(answers.calibration()).count());
    assertEquals(30, scaling(sampled).calibration().count());
    assertNotNull(answers.calibration());
    assertEquals(DIGITS.classes().size(), sampled.info().classCounts().size());
    assertEquals(
        100, sampled.info().classCounts().stream().mapToInt(Integer::intValue).sum(), "trained");
    assertFalse(Run.open(sampled.folder()).recipe().sampling().earlyStop().isGiven());
  }

  @Test
  void whatDoesNotFitIsRefused() {
    Recipe recipe = run("run", "sampling", 1).recipe();
    var noData =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                recipe
                    .withValidation(0)
                    .with(
                        recipe
                            .sampling()
                            .withValidation(0)
                            .withEarlyStop(new EarlyStopping(3, 0))));
    assertTrue(noData.getMessage().contains("`validation`"), noData.getMessage());
    var few =
        assertThrows(
            IllegalArgumentException.class,
            () -> recipe.optimized(o -> o.withClassWeights(List.of(1.0, 2.0))).check(FEW));
    assertTrue(few.getMessage().contains("10 classes and 2 weights"), few.getMessage());
    for (double weight : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThrows(
          IllegalArgumentException.class,
          () -> recipe.optimized(o -> o.withClassWeights(List.of(weight))));
    }
  }

  /// Four images, one of the first class and three of the second: 4/(2·1) and 4/(2·3).
  @Test
  void inverseWeightsByHand() {
    assertEquals(List.of(2.0, 2.0 / 3), ClassBalance.inverse(new int[] {1, 3}));
    assertEquals(List.of(2.0, 1.0, 2.0 / 3), ClassBalance.inverse(new int[] {1, 0, 3}));
  }
}
