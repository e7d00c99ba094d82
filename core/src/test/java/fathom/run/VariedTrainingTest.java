package fathom.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.Layer;
import fathom.Param;
import fathom.Scope;
import fathom.Tensor;
import fathom.Traced;
import fathom.data.Augmentation;
import fathom.data.DataSet;
import fathom.data.Epochs;
import fathom.data.Mixing;
import fathom.data.Policy;
import fathom.data.Rows;
import fathom.net.Architecture;
import fathom.net.Norm;
import fathom.net.Shortcut;
import fathom.nn.Init;
import fathom.optim.Schedule;
import fathom.optim.Sgd;
import fathom.parallel.Collective;
import fathom.parallel.Workers;
import fathom.task.Evaluation;
import fathom.task.ImageClassification;
import fathom.task.Setting;
import fathom.train.Listener;
import fathom.train.Metrics;
import fathom.train.Moment;
import fathom.train.Recorder;
import fathom.train.Recording;
import fathom.train.Trainer;
import fathom.train.Weights;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Trainings with every augmentation and with averaged weights.
class VariedTrainingTest {
  private static final DataSet DIGITS = DataSet.open("digits");

  /// Seven steps an epoch at a batch of 15, the last of them with 10 images.
  private static final DataSet FEW =
      new DataSet("digits", DIGITS.classes(), DIGITS.train().take(100), DIGITS.test().take(30));

  private static final int EPOCH = 7;
  private static final Variation ALL = new Variation(2, 9, false, 0.5, 0.2, 1);

  @TempDir private Path folder;

  private static Recipe recipe(int epochs, int workers, Variation variation, double ema) {
    return new Recipe(
        "resnet8",
        new Architecture.Options(Shortcut.A, Norm.BATCH, 2, null, null),
        "digits",
        Sampling.of(epochs, 15),
        Optimization.sgd(0.1, List.of(0.6)).withSmoothing(0.1).withEma(ema),
        new Preprocessing(1, true, true).with(variation),
        11,
        Execution.on(workers),
        Recording.NONE,
        FineTuning.NONE);
  }

  private Run run(String name, Recipe recipe) {
    return Run.create(folder.resolve(name), recipe, FEW);
  }

  private static void train(Run run, long until) {
    long[] made = {0};
    var counting =
        new Progress() {
          @Override
          public void step(StepEnd now) {
            made[0] = now.step();
          }
        };
    RunTraining.train(run, FEW, counting, () -> made[0] >= until);
  }

  /// Stopped in the middle of an epoch, at its end, and again: the checkpoint has the same bits,
  /// averages and what they are averages of included.
  @ParameterizedTest
  @CsvSource({"1, 3", "1, 7", "2, 3", "2, 9"})
  void resumingIsExact(int workers, long step) {
    Recipe recipe = recipe(2, workers, ALL, 0.9);
    Run straight = run("straight", recipe);
    train(straight, Long.MAX_VALUE);
    Run stopped = run("stopped", recipe);
    train(stopped, step);
    assertNotEquals(Bits.of(straight), Bits.of(stopped));
    train(stopped, step + 2);
    train(Run.open(stopped.folder()), Long.MAX_VALUE);
    assertEquals(Bits.of(straight), Bits.of(stopped));
    assertEquals(epochs(straight), epochs(stopped));
    assertTrue(
        Bits.of(straight).keySet().stream().anyMatch(name -> name.startsWith("unaveraged.")));
  }

  /// In the middle of an epoch nothing has been estimated anew yet: the averages of batch norm's
  /// statistics are stored to the bit, too.
  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void resumingIsExactInTheMiddleOfAnEpoch(int workers) {
    Run straight = run("straight", recipe(1, workers, ALL, 0.9));
    train(straight, 6);
    Run stopped = run("stopped", recipe(1, workers, ALL, 0.9));
    train(stopped, 2);
    train(stopped, 4);
    train(stopped, 6);
    assertEquals(Bits.of(straight), Bits.of(stopped));
  }

  private static List<Double> epochs(Run run) {
    return run.metrics().stream()
        .filter(Metrics.Epoch.class::isInstance)
        .map(Metrics.Epoch.class::cast)
        .map(Metrics.Epoch::testLoss)
        .toList();
  }

  /// The first steps of a training on one worker, two and three, which differ by the rounding of
  /// sums alone.
  @ParameterizedTest
  @ValueSource(ints = {2, 3})
  void theNumberOfWorkersDoesNotMatter(int workers) {
    Metrics.Epoch one = first(run("one", recipe(1, 1, ALL, 0.9)));
    Metrics.Epoch more = first(run("more", recipe(1, workers, ALL, 0.9)));
    assertEquals(one.trainLoss(), more.trainLoss(), 1e-3);
    assertEquals(one.trainError(), more.trainError(), 2);
    assertEquals(one.testLoss(), more.testLoss(), 1e-2);
  }

  private static Metrics.Epoch first(Run run) {
    train(run, Long.MAX_VALUE);
    return run.metrics().stream()
        .filter(Metrics.Epoch.class::isInstance)
        .map(Metrics.Epoch.class::cast)
        .findFirst()
        .orElseThrow();
  }

  /// Each option alone changes what is learned; none leaves it to the bit as it was.
  @Test
  void everyOptionDoesSomething() {
    Map<String, String> plain = weights(run("plain", recipe(1, 1, Variation.NONE, 0)));
    var all =
        List.of(
            new Variation(1, 9, false, 0, 0, 0),
            new Variation(0, 0, true, 0, 0, 0),
            new Variation(0, 0, false, 1, 0, 0),
            new Variation(0, 0, false, 0, 1, 0),
            new Variation(0, 0, false, 0, 0, 1));
    for (int i = 0; i < all.size(); i++) {
      assertNotEquals(plain, weights(run("varied" + i, recipe(1, 1, all.get(i), 0))));
    }
    assertEquals(plain, weights(run("same", recipe(1, 1, Variation.NONE, 0))));
  }

  private static Map<String, String> weights(Run run) {
    train(run, 2);
    return Bits.of(run);
  }

  /// The weights of a training with an average are to the bit those of one without.
  @Test
  void averagingChangesNoStep() {
    Run plain = run("plain", recipe(1, 2, ALL, 0));
    Run averaged = run("averaged", recipe(1, 2, ALL, 0.9));
    train(plain, Long.MAX_VALUE);
    train(averaged, Long.MAX_VALUE);
    Map<String, String> with = Bits.of(averaged);
    int compared = 0;
    for (Map.Entry<String, String> each : Bits.of(plain).entrySet()) {
      String trained = with.get("unaveraged." + each.getKey());
      if (trained != null) {
        assertEquals(each.getValue(), trained, each.getKey());
        compared++;
      }
    }
    assertTrue(compared > 20, "only %s tensors were found".formatted(compared));
  }

  /// In the middle of an epoch a checkpoint has, under the net's own paths, what the recursion
  /// gives for parameters and buffers: e ← e + (1−d)(w−e) with d = min(0.8, (1+t)/(10+t)).
  @Test
  void theAverageIsItsRecursion() {
    var average = new LinkedHashMap<String, double[]>();
    var recursion =
        new Listener() {
          @Override
          public void begin(Moment now, boolean evaluated) {
            now.net().state().forEach((path, p) -> average.put(path, p.value().toDoubles()));
          }

          @Override
          public void moved(Moment now) {
            double t = now.step();
            double share = 1 - Math.min(0.8, (1 + t) / (10 + t));
            now.net()
                .state()
                .forEach((path, p) -> {
                  double[] w = p.value().toDoubles();
                  double[] e = average.get(path);
                  for (int i = 0; i < w.length; i++) {
                    e[i] = (float) (e[i] + share * (w[i] - e[i]));
                  }
                });
          }
        };
    int[] asked = {0};
    Path own = folder.resolve("own");
    Recipe recipe = recipe(1, 1, Variation.NONE, 0);
    var net = (Architecture.OfImages) recipe.architecture();
    Trainer.of(
            init -> net.on(Run.unwritten(recipe, FEW).input(), 10).build(init),
            ImageClassification.of(FEW))
        .optimizer(Sgd.paper())
        .schedule(Schedule.constant(0.1))
        .epochs(9)
        .batch(2)
        .workers(1)
        .ema(0.8)
        .in(own)
        .listen(recursion)
        .stopWhen(() -> ++asked[0] >= 43) // of 50 steps: from the 35th on, d is 0.8
        .fit();
    try (var _ = Scope.open()) {
      Layer read = net.on(Run.unwritten(recipe, FEW).input(), 10).build(Init.zeros());
      Weights.read(Recorder.checkpoint(own), read);
      int buffers = 0;
      for (Map.Entry<String, Param> entry : read.state().entrySet()) {
        double[] e = average.get(entry.getKey());
        double[] stored = entry.getValue().value().toDoubles();
        for (int i = 0; i < e.length; i++) {
          assertEquals(e[i], stored[i], entry.getKey());
        }
        buffers += entry.getValue().trained() ? 0 : 1;
      }
      assertTrue(buffers > 0, "batch norm has buffers");
    }
  }

  /// What the last epoch and the end were evaluated with is what the checkpoint and the file of the
  /// best epoch give whoever reads a net from them.
  @Test
  void theAveragesAreEvaluatedAndSaved() {
    Run run = run("run", recipe(1, 2, Variation.NONE, 0.5));
    train(run, Long.MAX_VALUE);
    for (Path file : List.of(run.checkpoint(), run.best())) {
      try (var _ = Scope.open()) {
        Layer net = run.imageNet(Init.zeros());
        Weights.read(file, net);
        Evaluation found = Evaluation.of(net, FEW.test(), run.normalization(), Collective.ALONE);
        assertEquals(epochs(run).getLast(), found.crossEntropy(), 1e-6);
      }
    }
  }

  @Test
  void aTaskSaysHowItMixes() {
    ImageClassification task =
        ImageClassification.of(FEW)
            .augmentedBy(Augmentation.NONE.with(Policy.RandAugment.USUAL))
            .mixedBy(new Mixing(0.2, 1))
            .smoothedBy(0.1);
    assertEquals(new Mixing(0.2, 1), task.mixing());
    assertEquals(new Policy.RandAugment(2, 9), task.augmentation().policy());
    assertEquals(task.mixing(), task.normalizedBy(task.normalization()).mixing());
  }

  /// A net that always says 3, whatever it is shown.
  private record Constant() implements Layer {
    @Override
    public Traced forward(Tensor x) {
      int count = (int) x.shape().size(0);
      double[] logits = new double[10 * count];
      for (int i = 0; i < count; i++) {
        logits[10 * i + 3] = 1;
      }
      return new Traced(Tensor.of(logits, count, 10), dy -> x);
    }
  }

  /// Row r of n has a share λ of its own label and 1 − λ of that of row n−1−r. The larger one
  /// counts, in the share of each of two workers; over both the two counts are the same.
  @Test
  void anErrorIsOneAgainstTheLabelWithTheLargerShare() {
    ImageClassification task = ImageClassification.of(FEW).mixedBy(new Mixing(1, 0));
    var epochs = new Epochs(11, 100, 15);
    int[] order = epochs.order(0);
    int others = 0;
    double[][] found = new double[2][EPOCH];
    Workers.run(
        2,
        all -> {
          try (var _ = Scope.open()) {
            var session = task.open(new Setting(all, 15, 1, 11, 0, () -> false));
            session.begin(0, 0);
            for (int step = 0; step < EPOCH; step++) {
              found[all.rank()][step] = session.forward(new Constant(), step).counts()[0];
            }
          }
        });
    for (int step = 0; step < EPOCH; step++) {
      Rows whole = epochs.batch(step);
      boolean own = task.mixing().of(epochs.mixing(0, step), 8, 8).lambda() >= 0.5;
      others += own ? 0 : 1;
      for (int rank = 0; rank < 2; rank++) {
        Rows rows = whole.share(rank, 2);
        int errors = 0;
        for (int r = rows.from(); r < rows.to(); r++) {
          int counted = own ? r : whole.from() + whole.to() - 1 - r;
          errors += FEW.train().labels()[order[counted]] == 3 ? 0 : 1;
        }
        assertEquals(errors, found[rank][step], "step %s of worker %s".formatted(step, rank));
      }
    }
    assertTrue(others > 0 && others < EPOCH, "both occur");
  }

  @Test
  void whatOnlyImagesHaveIsRefusedElsewhere() {
    for (Variation variation : List.of(ALL, new Variation(0, 0, false, 0, 0.2, 0))) {
      assertFalse(variation.toString().isEmpty());
      assertThrows(IllegalArgumentException.class, () -> variation.checkNone("lstm", "text"));
    }
    Variation.NONE.checkNone("lstm", "text");
    assertThrows(IllegalArgumentException.class, () -> new Variation(2, 9, true, 0, 0, 0));
    assertThrows(IllegalArgumentException.class, () -> new Variation(0, 9, false, 0, 0, 0));
    assertThrows(
        IllegalArgumentException.class, () -> Optimization.adam(1e-3, List.of()).withEma(1));
  }
}
