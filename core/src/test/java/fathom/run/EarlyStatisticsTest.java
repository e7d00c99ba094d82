package fathom.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.Scope;
import fathom.data.DataSet;
import fathom.data.Loader;
import fathom.data.Rows;
import fathom.loss.CrossEntropy;
import fathom.net.CifarNet;
import fathom.nn.Init;
import fathom.parallel.Collective;
import fathom.task.Evaluation;
import fathom.train.Weights;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Early in a training, evaluation agrees with training.
class EarlyStatisticsTest {
  private static final DataSet DIGITS = DataSet.open("digits");
  private static final DataSet FEW =
      new DataSet("digits", DIGITS.classes(), DIGITS.train().take(300), DIGITS.test().take(30));

  @TempDir private Path folder;

  private Run run(int epochs, int workers) {
    return run(epochs, workers, 0.1);
  }

  private Run run(int epochs, int workers, double learningRate) {
    Recipe recipe =
        Recipe.usual(CifarNet.named("resnet20").withWidth(4), FEW, 11, workers)
            .withEpochs(epochs)
            .withBatch(150)
            .with(Optimization.sgd(learningRate, List.of(0.6, 0.85)));
    return Run.create(folder.resolve("run" + epochs + workers), recipe, FEW);
  }

  /// After two steps an epoch, the loss of evaluation on the training images is that of the same
  /// weights with the statistics of these images: within a tenth, because the statistics of two
  /// batches of 150 images are not quite those of all 300. Running averages are off by nats.
  @ParameterizedTest
  @ValueSource(ints = {1, 3, 7})
  void evaluationAgreesWithTraining(int epochs) {
    Run run = run(epochs, 1);
    RunTraining.Result result = RunTraining.train(run, FEW);
    try (var _ = Scope.open()) {
      var net = run.imageNet(Init.zeros());
      Weights.read(run.checkpoint(), net);
      int[] all = IntStream.range(0, 300).toArray();
      var rows = new Rows(0, 300);
      var loader = new Loader(FEW.train(), run.normalization());
      double training =
          CrossEntropy.of(net.forward(loader.images(all, rows)).value(), loader.labels(all, rows))
              .value()
              .item();
      assertEquals(training, result.trained().crossEntropy(), 0.1 * training);
      Evaluation again = Evaluation.of(net, FEW.train(), run.normalization(), Collective.ALONE);
      assertEquals(result.trained().crossEntropy(), again.crossEntropy(), 1e-5, "is saved");
    }
  }

  /// The weights hardly move, because where a rectifier's argument is 0 but for rounding, which
  /// differs with the number of workers, a step would take the two runs apart.
  @Test
  void theStatisticsAreThoseOfAllWorkers() {
    Run one = run(2, 1, 1e-9);
    Run two = run(2, 2, 1e-9);
    RunTraining.train(one, FEW);
    RunTraining.train(two, FEW);
    try (var _ = Scope.open()) {
      var a = one.imageNet(Init.zeros());
      Weights.read(one.checkpoint(), a);
      var b = two.imageNet(Init.zeros());
      Weights.read(two.checkpoint(), b);
      var other = b.state();
      a.state()
          .forEach((path, param) -> {
            double[] x = param.value().toDoubles();
            double[] y = other.get(path).value().toDoubles();
            for (int i = 0; i < x.length; i++) {
              assertEquals(x[i], y[i], 1e-5 * Math.max(1, Math.abs(x[i])), path);
            }
          });
    }
  }

  /// It is stopped in the middle of an epoch and at its end.
  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void aStoppedRunHasTheSameStatistics(int every) {
    Run whole = run(3, 1);
    RunTraining.train(whole, FEW);
    Recipe recipe = whole.recipe();
    Run stopped = Run.create(folder.resolve("stopped"), recipe, FEW);
    boolean finished = false;
    int pieces = 0;
    while (!finished) {
      var steps = new AtomicLong();
      finished =
          RunTraining.train(
                  Run.open(stopped.folder()),
                  FEW,
                  Progress.NONE,
                  () -> steps.incrementAndGet() == every)
              .finished();
      pieces++;
    }
    assertTrue(pieces > 2);
    assertEquals(Bits.of(whole), Bits.of(stopped));
  }
}
