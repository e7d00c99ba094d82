package fathom.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import fathom.DType;
import fathom.DeviceException;
import fathom.Scope;
import fathom.Tensor;
import fathom.data.DataSet;
import fathom.data.Images;
import fathom.data.LabelledImages;
import fathom.data.Normalization;
import fathom.io.BadFileException;
import fathom.io.Json;
import fathom.loss.CrossEntropy;
import fathom.net.Architecture;
import fathom.net.ImageShape;
import fathom.net.Norm;
import fathom.net.Shortcut;
import fathom.nn.Init;
import fathom.parallel.Collective;
import fathom.parallel.Workers;
import fathom.task.Evaluation;
import fathom.task.ImageClassification;
import fathom.task.StoppedException;
import fathom.train.BusyRunException;
import fathom.train.DivergedException;
import fathom.train.LastSave;
import fathom.train.LayerReport;
import fathom.train.Listener;
import fathom.train.Metrics;
import fathom.train.Moment;
import fathom.train.Position;
import fathom.train.Precision;
import fathom.train.Recording;
import fathom.train.Trainer;
import fathom.train.Weights;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RunTrainingTest {
  private static final DataSet DIGITS = DataSet.open("digits");

  /// Seven steps an epoch at a batch of 15, the last of them with 10 images.
  private static final DataSet FEW = few(100, 30);

  private static final int EPOCH = 7;

  @TempDir Path folder;

  private static DataSet few(int train, int test) {
    return new DataSet(
        "digits", DIGITS.classes(), DIGITS.train().take(train), DIGITS.test().take(test));
  }

  /// Everything that draws or changes with the step: crops and flips, a warm-up, a falling learning
  /// rate.
  private static Recipe recipe(String model, int epochs, int batch, int workers) {
    return recipe(model, 5, epochs, batch, workers);
  }

  private static Recipe recipe(String model, int width, int epochs, int batch, int workers) {
    return new Recipe(
        model,
        new Architecture.Options(
            model.startsWith("plain") ? Shortcut.NONE : Shortcut.A, Norm.BATCH, width, null, null),
        "digits",
        Sampling.of(epochs, batch),
        Optimization.sgd(0.1, List.of(0.6, 0.85)).withWarmUp(2),
        new Preprocessing(1, true, true),
        11,
        Execution.on(workers),
        Recording.NONE,
        FineTuning.NONE);
  }

  private Run run(String name, Recipe recipe) {
    return Run.create(folder.resolve(name), recipe, FEW);
  }

  private static RunTraining.Result train(Run run) {
    return RunTraining.train(run, FEW, Progress.NONE, () -> false);
  }

  /// As if the process were killed after `step` steps: nothing is saved.
  private static void kill(Run run, long step) {
    var killed =
        new Progress() {
          @Override
          public void step(StepEnd now) {
            if (now.step() == step) {
              throw new IllegalStateException("killed");
            }
          }
        };
    var e =
        assertThrows(
            IllegalStateException.class, () -> RunTraining.train(run, FEW, killed, () -> false));
    assertEquals("killed", e.getMessage());
  }

  /// All lines but their times.
  private static List<Metrics> metrics(Run run) {
    return run.metrics().stream().map(RunTrainingTest::withoutTimes).toList();
  }

  private static Metrics withoutTimes(Metrics metrics) {
    return switch (metrics) {
      case Metrics.Epoch e ->
          new Metrics.Epoch(
              e.epoch(),
              e.step(),
              e.learningRate(),
              e.trainLoss(),
              e.trainError(),
              e.testLoss(),
              e.testError(),
              0,
              0,
              e.measuredOn());
      case Metrics.Layers l -> l;
      case Metrics.Watch w -> w;
      case Metrics.Final f ->
          new Metrics.Final(
              f.step(), f.trainError(), f.trainLoss(), f.testError(), f.testLoss(), 0);
    };
  }

  private static Path metricsFile(Run run) {
    return run.folder().resolve("metrics.jsonl");
  }

  /// What follows the last evaluation may fail, for want of memory or of a place on the disk.
  @Test
  void theResultIsWrittenDownBeforeWhatMayFail() {
    Run run = run("run", recipe("resnet8", 1, 15, 2));
    var inTheWay =
        new Progress() {
          @Override
          public void epoch(Metrics.Epoch epoch) {
            try {
              Files.createDirectory(run.folder().resolve("answers.json"));
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          }
        };
    assertThrows(BadFileException.class, () -> RunTraining.train(run, FEW, inTheWay, () -> false));
    assertEquals(1, run.metrics().stream().filter(Metrics.Final.class::isInstance).count());
  }

  // ---- It learns

  @ParameterizedTest
  @ValueSource(strings = {"resnet8", "plain8"})
  void aSmallNetLearnsDigits(String model) {
    var recipe = recipe(model, 8, 8, 20, 1);
    var run = Run.create(folder.resolve(model), recipe, few(400, 100));
    var epochs = new ArrayList<Metrics.Epoch>();
    var steps = new ArrayList<Progress.StepEnd>();
    var result =
        RunTraining.train(
            run,
            few(400, 100),
            new Progress() {
              @Override
              public void step(StepEnd step) {
                steps.add(step);
              }

              @Override
              public void epoch(Metrics.Epoch epoch) {
                epochs.add(epoch);
              }
            },
            () -> false);
    assertTrue(result.finished());
    assertTrue(
        result.tested().error() < 40, "the error is " + result.tested().error()); // chance: 90
    assertTrue(epochs.getLast().trainLoss() < 0.6 * epochs.getFirst().trainLoss());
    assertEquals(100, result.tested().count());
    assertEquals(400, result.trained().count());
    assertTrue(result.seconds() > 0 && result.examplesPerSecond() > 0);

    assertEquals(8, epochs.size());
    assertEquals(160, steps.size());
    for (int i = 0; i < steps.size(); i++) {
      assertEquals(i + 1, steps.get(i).step());
      assertEquals(i / 20 + 1, steps.get(i).epoch());
      assertEquals(160, steps.get(i).steps());
      assertEquals(recipe.optimization().schedule().at(i, 160), steps.get(i).learningRate());
    }
    Progress.StepEnd last = steps.get(19);
    assertEquals(epochs.getFirst().trainLoss(), last.loss(), 1e-12);
    assertEquals(epochs.getFirst().trainError(), last.error(), 1e-12);

    var lines = run.metrics();
    assertEquals(11, lines.size());
    assertEquals(epochs, lines.subList(1, 9));
    assertEquals(0, ((Metrics.Layers) lines.getFirst()).step());
    var end = (Metrics.Final) lines.get(9);
    assertEquals(160, ((Metrics.Layers) lines.get(10)).step());
    assertEquals(result.tested().error(), end.testError());
    assertEquals(result.trained().crossEntropy(), end.trainLoss());
  }

  /// The training of the first version, in its first steps, where rounding has not grown yet: a
  /// change of these numbers is a change of what is computed.
  @Test
  void tenLossesAreAsRecorded() {
    double[] recorded = {
      2.969172, 2.847239, 2.831157, 2.752008, 2.509129, 2.316860, 2.203442, 2.016924, 2.053523,
      2.082618
    };
    DataSet one = few(48, 10); // an epoch is one step
    var losses = new ArrayList<Double>();
    RunTraining.train(
        Run.create(folder.resolve("ten"), recipe("resnet8", 8, 10, 48, 1), one),
        one,
        new Progress() {
          @Override
          public void epoch(Metrics.Epoch epoch) {
            losses.add(epoch.trainLoss());
          }
        },
        () -> false);
    for (int i = 0; i < 10; i++) {
      assertEquals(recorded[i], losses.get(i), (i < 4 ? 1e-4 : 1e-2) * recorded[i], "step " + i);
    }
  }

  // ---- It goes on as if it had not been stopped

  @ParameterizedTest
  @CsvSource({"1, 4", "1, 7", "2, 5"})
  void aRunThatIsStoppedGoesOnBitByBit(int workers, int every) {
    Run whole = run("whole", recipe("resnet8", 2, 15, workers));
    train(whole);
    Run stopped = run("stopped", recipe("resnet8", 2, 15, workers));
    RunTraining.Result result;
    int pieces = 0;
    do {
      var steps = new AtomicLong();
      result =
          RunTraining.train(
              Run.open(stopped.folder()),
              FEW,
              Progress.NONE,
              () -> steps.incrementAndGet() == every);
      assertEquals(!result.finished(), result.train() == null);
      pieces++;
    } while (!result.finished());
    assertEquals(2 * EPOCH / every + 1, pieces);
    assertEquals(Bits.of(whole), Bits.of(stopped));
    assertEquals(metrics(whole), metrics(stopped));
  }

  @ParameterizedTest
  @ValueSource(longs = {3, 7, 10})
  void aRunThatIsKilledGoesOnFromItsLastCheckpoint(long step) {
    Run whole = run("whole", recipe("plain8", 2, 15, 1));
    train(whole);
    Run killed = run("killed", recipe("plain8", 2, 15, 1));
    kill(killed, step);
    assertEquals(step > EPOCH, Files.exists(killed.checkpoint()));
    assertTrue(train(Run.open(killed.folder())).finished());
    assertEquals(Bits.of(whole), Bits.of(killed));
    assertEquals(metrics(whole), metrics(killed));
  }

  /// Killed between the two files: the checkpoint decides, and what the metrics say too much goes.
  @Test
  void metricsThatAreAheadOfTheCheckpointAreWrittenAgain() throws IOException {
    Run whole = run("whole", recipe("resnet8", 3, 15, 1));
    train(whole);
    Run killed = run("killed", recipe("resnet8", 3, 15, 1));
    kill(killed, 10);
    byte[] afterOneEpoch = Files.readAllBytes(killed.checkpoint());
    train(killed);
    for (int lines : new int[] {2, 4, 6}) { // 1 of the start, 3 epochs, 2 of the end
      List<String> all = Files.readAllLines(metricsFile(whole));
      assertEquals(6, all.size());
      Files.write(killed.checkpoint(), afterOneEpoch);
      Files.write(metricsFile(killed), all.subList(0, lines));
      assertTrue(train(Run.open(killed.folder())).finished());
      assertEquals(Bits.of(whole), Bits.of(killed));
      assertEquals(metrics(whole), metrics(killed), lines + " lines were there");
    }
  }

  @Test
  void aLineThatWasCutOffIsWrittenAgain() throws IOException {
    Run whole = run("whole", recipe("resnet8", 2, 15, 1));
    train(whole);
    byte[] all = Files.readAllBytes(metricsFile(whole));
    for (int cut : new int[] {1, 90}) {
      Files.write(metricsFile(whole), Arrays.copyOf(all, all.length - cut));
      List<Metrics> before = metrics(whole);
      assertEquals(cut == 1 ? 5 : 4, before.size(), "all but the end can be read");
      assertTrue(train(Run.open(whole.folder())).finished());
      assertEquals(5, metrics(whole).size());
      assertEquals(before, metrics(whole).subList(0, before.size()));
    }
  }

  /// The epochs that are not there any more cannot be had again; nothing else may suffer.
  @Test
  void aCheckpointThatIsAheadOfTheMetricsGoesOn() throws IOException {
    Run whole = run("whole", recipe("resnet8", 3, 15, 1));
    train(whole);
    Run killed = run("killed", recipe("resnet8", 3, 15, 1));
    kill(killed, 10);
    List<String> lines = Files.readAllLines(metricsFile(killed));
    Files.write(metricsFile(killed), lines.subList(0, 1));
    train(Run.open(killed.folder()));
    assertEquals(Bits.of(whole), Bits.of(killed));
    assertEquals(metrics(whole), metrics(killed), "the epoch of the checkpoint is judged again");
    Files.delete(metricsFile(killed));
    assertTrue(train(Run.open(killed.folder())).finished());
    assertEquals(Bits.of(whole), Bits.of(killed));
    assertEquals(metrics(whole).subList(3, 6), metrics(killed));
  }

  /// Stopped or killed between the checkpoint of an epoch and the line that says that the epoch was
  /// judged: whatever of the rest was written, the metrics, the checkpoint and the best one become
  /// those of a run that nobody stopped.
  @ParameterizedTest
  @CsvSource({"1, 1, 0", "2, 2, 0", "2, 2, 20"})
  void anEpochThatWasNotJudgedIsJudgedFirst(int epochs, int workers, int validation)
      throws IOException {
    var all = new Recording(List.of(Recording.Quantity.values()), true);
    Recipe recipe = recipe("resnet8", epochs, 15, workers).with(all).withValidation(validation);
    Run whole = run("whole", recipe);
    train(whole);
    long end = epochs * Math.ceilDiv(100L - validation, 15);
    Run stopped = run("stopped", recipe);
    var steps = new AtomicLong();
    var result =
        RunTraining.train(stopped, FEW, Progress.NONE, () -> steps.incrementAndGet() == end);
    assertFalse(result.finished());
    assertNull(result.test(), "nothing is measured after it was asked to stop");
    assertEquals(end, result.step());
    assertEquals(end, Position.step(stopped.checkpoint()));
    assertEquals(2 * epochs - 1, metrics(stopped).size(), "a line of the start, two an epoch");
    assertTrue(train(Run.open(stopped.folder())).finished());
    same(whole, stopped);

    List<String> lines = Files.readAllLines(metricsFile(whole));
    for (int last : new int[] {2 * epochs - 1, 2 * epochs}) { // the second with what was watched
      Files.write(metricsFile(stopped), lines.subList(0, last));
      if (epochs == 1) {
        Files.deleteIfExists(stopped.best());
      }
      assertTrue(train(Run.open(stopped.folder())).finished());
      same(whole, stopped);
    }
  }

  private static void same(Run whole, Run stopped) {
    assertEquals(Bits.of(whole), Bits.of(stopped));
    assertEquals(metrics(whole), metrics(stopped));
    assertEquals(Position.step(whole.best()), Position.step(stopped.best()));
  }

  /// In the middle of a step, when running statistics have changed already: the state before it.
  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void aStepThatTakesTooLongIsSavedFromOutside(int workers) {
    Run whole = run("whole", recipe("resnet8", 2, 15, workers));
    train(whole);
    Run slow = run("slow", recipe("resnet8", 2, 15, workers));
    var lastSave = new LastSave();
    var steps = new AtomicLong();
    BooleanSupplier stop =
        () -> { // asked in the middle of a step
          if (steps.incrementAndGet() == 9) {
            LockSupport.parkNanos(LastSave.SLOW_NANOS + 100_000_000);
          } else if (steps.get() == 10) {
            assertEquals(new LastSave.Saved(9, 0), lastSave.save());
            throw new IllegalStateException("killed");
          }
          return false;
        };
    assertThrows(
        IllegalStateException.class,
        () -> RunTraining.train(slow, FEW, 0, Progress.NONE, stop, lastSave));
    assertEquals("9", Bits.of(slow).get("fathom.step"));
    assertTrue(train(Run.open(slow.folder())).finished());
    assertEquals(Bits.of(whole), Bits.of(slow));
    assertEquals(metrics(whole), metrics(slow));
  }

  @Test
  void aFinishedRunIsNotTrainedAgain() {
    Run whole = run("whole", recipe("resnet8", 1, 15, 1));
    var first = train(whole);
    var bits = Bits.of(whole);
    var lines = metrics(whole);
    var again = train(Run.open(whole.folder()));
    assertEquals(first.test(), again.test());
    assertEquals(bits, Bits.of(whole));
    assertEquals(lines, metrics(whole));
    var longer = whole.withRecipe(whole.recipe().withEpochs(2));
    assertTrue(train(Run.open(longer.folder())).finished());
    assertEquals("14", Bits.of(whole).get("fathom.step"));
  }

  /// Weights, running statistics, optimizer and what is said of the layers: batch norm's sums meet
  /// once more in the backward pass, and its statistics are committed once.
  @ParameterizedTest
  @CsvSource({
    "resnet26, 1, 3",
    "resnet26, 2, 1",
    "plain20, 3, 2",
    "resnet18, 2, 1",
    "resnet18, 1, 100",
  })
  void computingAgainChangesNoBit(String model, int workers, int blocks) {
    Recipe recipe = recipe(model, 2, 2, 40, workers);
    Run whole = run("whole", recipe);
    train(whole);
    Run again = run("again", recipe.executed(e -> e.withRecompute(blocks)));
    var steps = new AtomicLong();
    RunTraining.train(again, FEW, Progress.NONE, () -> steps.incrementAndGet() == 4);
    Run resumed = Run.open(again.folder());
    assertEquals(blocks, resumed.recipe().recompute());
    assertTrue(train(resumed).finished());
    assertEquals(Bits.of(whole), Bits.of(again));
    assertEquals(metrics(whole), metrics(again));
  }

  @Test
  void watchingChangesNothingAndIsThereForEveryEpoch() {
    Recipe recipe = recipe("resnet8", 2, 15, 2);
    Run plain = run("plain", recipe);
    train(plain);
    var all = new Recording(List.of(Recording.Quantity.values()), true);
    Run watched = run("watched", recipe.with(all));
    var steps = new AtomicLong();
    RunTraining.train(watched, FEW, Progress.NONE, () -> steps.incrementAndGet() == 9);
    assertTrue(train(Run.open(watched.folder())).finished());
    assertEquals(Bits.of(plain), Bits.of(watched));
    try (var files = Files.list(watched.events())) {
      assertEquals(2, files.count(), "a file for each time it was started");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    var lines =
        metrics(watched).stream()
            .filter(Metrics.Watch.class::isInstance)
            .map(Metrics.Watch.class::cast)
            .toList();
    assertEquals(List.of(7L, 14L), lines.stream().map(Metrics.Watch::step).toList());
    var last = (Metrics.Layers) metrics(plain).get(4);
    for (Metrics.Watch line : lines) {
      for (var entries : List.of(line.gradients(), line.updates(), line.responses())) {
        assertTrue(entries.stream().allMatch(e -> e.value() > 0), entries.toString());
      }
      assertEquals(
          last.gradients().stream().map(Metrics.Layers.Entry::layer).toList(),
          line.gradients().stream().map(Metrics.Layers.Entry::layer).toList());
    }
    assertEquals(last.responses(), lines.getLast().responses(), "of the weights at the end");
    Recipe one = recipe.with(new Recording(List.of(Recording.Quantity.UPDATES), false));
    Run updates = run("updates", one);
    train(updates);
    var only = metrics(updates).stream().filter(Metrics.Watch.class::isInstance).toList();
    assertEquals(List.of(), ((Metrics.Watch) only.getLast()).gradients());
    assertEquals(lines.getLast().updates(), ((Metrics.Watch) only.getLast()).updates());
  }

  @Test
  void theBestEpochIsKeptBesideTheLast() {
    Run run = run("run", recipe("resnet8", 6, 15, 1).optimized(o -> o.withRate(0.5)));
    var steps = new AtomicLong();
    RunTraining.train(run, FEW, Progress.NONE, () -> steps.incrementAndGet() == 17);
    train(Run.open(run.folder()));
    Metrics.Epoch best = null;
    for (Metrics each : run.metrics()) {
      if (each instanceof Metrics.Epoch epoch
          && (best == null
              || epoch.testError() < best.testError()
              || (epoch.testError() == best.testError() && epoch.testLoss() < best.testLoss()))) {
        best = epoch;
      }
    }
    assertEquals(Objects.requireNonNull(best).step(), Position.step(run.best()));
    assertEquals(6 * EPOCH, Position.step(run.checkpoint()));
  }

  @Test
  void imagesForValidationAreNotTrainedWith() {
    Recipe recipe = recipe("plain8", 2, 15, 1).withValidation(25);
    Run run = run("run", recipe);
    var result = train(run);
    assertEquals(75, result.trained().count());
    assertEquals(30, result.tested().count(), "the end is by the test images");
    assertEquals("10", Bits.of(run).get("fathom.step"), "5 batches of 75 images, twice");
    DataSet split = FEW.judgedBy(25, recipe.seed());
    LabelledImages kept = Objects.requireNonNull(split.validation());
    assertEquals(25, kept.count());
    assertEquals(FEW.test(), split.test());
    assertEquals(split, FEW.judgedBy(25, recipe.seed()));
    assertNotEquals(split, FEW.judgedBy(25, recipe.seed() + 1));
    assertEquals(
        Arrays.stream(FEW.train().labels()).sum(),
        Arrays.stream(split.train().labels()).sum() + Arrays.stream(kept.labels()).sum());
    for (int bad : new int[] {-1, 100, 90}) {
      assertThrows(
          IllegalArgumentException.class, () -> recipe.withValidation(bad).check(FEW), "" + bad);
    }
  }

  /// The learning rate, the decay and the smoothing are functions of the step and of run.json
  /// alone.
  @ParameterizedTest
  @CsvSource({"ADAMW, ONE_CYCLE, 1", "SGD, COSINE, 2", "ADAM, COSINE, 1"})
  void everyOptimizerAndCurveGoesOnBitByBit(
      Optimization.Method method, Optimization.Curve curve, int workers) {
    Recipe recipe =
        recipe("plain8", 2, 15, workers)
            .optimized(o -> o.by(method))
            .optimized(o -> o.withCurve(curve))
            .optimized(o -> o.withSmoothing(0.1))
            .optimized(o -> o.withClip(0.5));
    Run whole = run("whole", recipe);
    train(whole);
    Run stopped = run("stopped", recipe);
    var steps = new AtomicLong();
    RunTraining.train(stopped, FEW, Progress.NONE, () -> steps.incrementAndGet() == 5);
    Run resumed = Run.open(stopped.folder());
    assertEquals(recipe, resumed.recipe(), "run.json has all of it");
    assertTrue(train(resumed).finished());
    assertEquals(Bits.of(whole), Bits.of(stopped));
    assertEquals(metrics(whole), metrics(stopped));
    Run sharp = run("sharp", recipe.optimized(o -> o.withSmoothing(0)));
    train(sharp);
    assertNotEquals(Bits.of(sharp), Bits.of(whole), "labels are smoothed");
  }

  /// Steps this small change no evaluation of a net without running statistics, so that no epoch is
  /// better than the first: the rate is divided after epochs 2 to 6. The training is broken off in
  /// the seventh, and before it.
  @ParameterizedTest
  @ValueSource(ints = {6 * 6 + 2, 3 * 6 + 1})
  void aPlateauGoesOnBitByBit(int broken) {
    Recipe recipe =
        dropping("mlp", 0)
            .withEpochs(8)
            .withValidation(10)
            .optimized(o -> o.withCurve(Optimization.Curve.PLATEAU).withRate(1e-30));
    Run whole = run("whole", recipe);
    train(whole);
    List<Double> rates =
        whole.metrics().stream()
            .filter(Metrics.Epoch.class::isInstance)
            .map(e -> ((Metrics.Epoch) e).learningRate())
            .toList();
    assertEquals(
        Stream.concat(Collections.nCopies(6, 1e-30).stream(), Stream.of(1e-31, 1e-31)).toList(),
        rates);
    Run stopped = run("stopped", recipe);
    var steps = new AtomicLong();
    RunTraining.train(stopped, FEW, Progress.NONE, () -> steps.incrementAndGet() == broken);
    Run resumed = Run.open(stopped.folder());
    assertEquals(recipe, resumed.recipe());
    assertTrue(train(resumed).finished());
    assertEquals(Bits.of(whole), Bits.of(stopped));
    assertEquals(metrics(whole), metrics(stopped));
  }

  @Test
  void testImagesDivideNoRate() {
    var e =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                recipe("plain8", 2, 15, 1).optimized(o -> o.withCurve(Optimization.Curve.PLATEAU)));
    assertTrue(e.getMessage().contains("give `validation`"), e.getMessage());
  }

  /// What is left out is a function of the step too, and the share of it is in run.json.
  @ParameterizedTest
  @ValueSource(strings = {"mlp", "resnet8", "lstm"})
  void aRunWithDropoutGoesOnBitByBit(String model) {
    Recipe recipe = dropping(model, 0.5);
    Run whole = run("whole", recipe);
    train(whole);
    Run stopped = run("stopped", recipe);
    var steps = new AtomicLong();
    RunTraining.train(stopped, FEW, Progress.NONE, () -> steps.incrementAndGet() == 5);
    Run resumed = Run.open(stopped.folder());
    assertEquals(recipe, resumed.recipe());
    assertTrue(train(resumed).finished());
    assertEquals(Bits.of(whole), Bits.of(stopped));
    Run all = run("all", dropping(model, 0));
    train(all);
    assertNotEquals(Bits.of(all), Bits.of(whole), "something is left out");
  }

  private static Recipe dropping(String model, double share) {
    boolean convolutional = model.startsWith("resnet");
    var options =
        new Architecture.Options(
            null, null, convolutional ? 4 : null, convolutional ? null : 20, null, share);
    return Recipe.usual(Architecture.images(model, options), FEW, 3, 2).withEpochs(2).withBatch(15);
  }

  // ---- In bfloat16

  /// Weights, running statistics and the optimizer's memory are float32 on the way, so nothing is
  /// lost when they are stored.
  @ParameterizedTest
  @CsvSource({"resnet8, 1, 0", "plain14, 2, 0", "resnet18, 2, 1"})
  void aRunInBFloat16GoesOnToTheBit(String model, int workers, int recompute) {
    needBFloat16();
    Recipe wide = recipe(model, 2, 40, workers).executed(e -> e.withRecompute(recompute));
    Recipe recipe = wide.executed(e -> e.withPrecision(Precision.BF16));
    Run whole = run("whole", recipe);
    train(whole);
    Run stopped = run("stopped", recipe);
    var steps = new AtomicLong();
    RunTraining.train(stopped, FEW, Progress.NONE, () -> steps.incrementAndGet() == 4);
    Run resumed = Run.open(stopped.folder());
    assertEquals(Precision.BF16, resumed.recipe().precision());
    assertTrue(train(resumed).finished());
    assertEquals(Bits.of(whole), Bits.of(stopped));
    assertEquals(metrics(whole), metrics(stopped));
    Run inFloat32 = run("float32", wide);
    train(inFloat32);
    assertNotEquals(Bits.of(inFloat32), Bits.of(whole), "it is another training");
  }

  private static void needBFloat16() {
    try {
      Precision.BF16.check();
    } catch (DeviceException e) {
      abort(e.getMessage());
    }
  }

  @Test
  void bfloat16IsForConvolutions() {
    Recipe mlp = Recipe.usual(Architecture.images("mlp", Architecture.Options.NONE), FEW, 1, 1);
    var e =
        assertThrows(
            IllegalArgumentException.class,
            () -> mlp.executed(x -> x.withPrecision(Precision.BF16)));
    assertTrue(e.getMessage().contains("the model is mlp"), e.getMessage());
    assertEquals(mlp, mlp.executed(x -> x.withPrecision(Precision.FP32)));
  }

  @Test
  void computingAgainIsForNetsWithBlocks() {
    Recipe mlp = Recipe.usual(Architecture.images("mlp", Architecture.Options.NONE), FEW, 1, 1);
    var none =
        assertThrows(IllegalArgumentException.class, () -> mlp.executed(e -> e.withRecompute(2)));
    assertTrue(none.getMessage().contains("mlp has none"), none.getMessage());
    Recipe deep = recipe("resnet8", 1, 15, 1);
    var negative =
        assertThrows(IllegalArgumentException.class, () -> deep.executed(e -> e.withRecompute(-1)));
    assertTrue(negative.getMessage().contains("-1"), negative.getMessage());
  }

  @Test
  void anotherNumberOfWorkersGoesOn() {
    Run run = run("run", recipe("resnet8", 2, 15, 1));
    var steps = new AtomicLong();
    RunTraining.train(run, FEW, Progress.NONE, () -> steps.incrementAndGet() == 9);
    var result = train(run.withRecipe(run.recipe().executed(e -> e.withWorkers(2))));
    assertTrue(result.finished());
    assertEquals("14", Bits.of(run).get("fathom.step"));
  }

  @Test
  void statisticsOfShardsAreThoseOfTheFirstWorkerInTheEnd() {
    Run run = run("run", recipe("resnet8", 1, 15, 2).executed(e -> e.withShardStatistics(true)));
    var result = train(run);
    assertTrue(result.finished());
    try (var _ = Scope.open()) {
      var net = run.imageNet(Init.zeros());
      Weights.read(run.checkpoint(), net);
      Evaluation again = Evaluation.of(net, FEW.test(), run.normalization(), Collective.ALONE);
      assertEquals(result.tested().errors(), again.errors());
      assertEquals(result.tested().crossEntropy(), again.crossEntropy(), 1e-5);
    }
  }

  // ---- It says when it has diverged

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void aRunThatDivergesSaysWhereAndKeepsItsCheckpoint(int workers) throws IOException {
    Run run = run("run", recipe("resnet8", 1, 15, workers));
    train(run);
    byte[] before = Files.readAllBytes(run.checkpoint());
    Run wild = run.withRecipe(run.recipe().withEpochs(3).optimized(o -> o.withRate(1e30)));
    var e = assertThrows(DivergedException.class, () -> train(wild));
    assertTrue(
        e.getMessage()
            .matches(
                "step \\d+ diverged: the (activation|gradient).* layer [\\w.]+ \\(.*\\) is not .*"),
        e.getMessage());
    assertArrayEquals(before, Files.readAllBytes(run.checkpoint()));
    Run tame = run.withRecipe(run.recipe().withEpochs(2));
    assertTrue(train(tame).finished());
    Run whole = run("whole", recipe("resnet8", 1, 15, workers));
    train(whole);
    train(whole.withRecipe(whole.recipe().withEpochs(2)));
    assertEquals(
        Bits.of(whole), Bits.of(run), "a run that has diverged in between is not the same");
  }

  // ---- Its folder

  @Test
  void aFolderWithARunIsRefused() {
    run("run", recipe("resnet8", 1, 15, 1));
    var e = assertThrows(BadFileException.class, () -> run("run", recipe("resnet8", 1, 15, 1)));
    assertTrue(e.getMessage().contains("`resume`"), e.getMessage());
    assertTrue(Run.isIn(folder.resolve("run")));
    assertFalse(Run.isIn(folder));
    assertThrows(BadFileException.class, () -> Run.open(folder));
  }

  @Test
  void twoTrainingsInOneFolderAreRefused() {
    Run run = run("run", recipe("resnet8", 1, 15, 1));
    var refused = new ArrayList<RuntimeException>();
    RunTraining.train(
        run,
        FEW,
        new Progress() {
          @Override
          public void step(StepEnd now) {
            refused.add(assertThrows(BusyRunException.class, () -> train(run)));
            var longer = run.recipe().withEpochs(9);
            refused.add(assertThrows(BusyRunException.class, () -> run.withRecipe(longer)));
          }
        },
        () -> false);
    assertEquals(2 * EPOCH, refused.size());
    assertTrue(String.valueOf(refused.getFirst().getMessage()).contains(run.folder().toString()));
    assertEquals(run.info(), Run.open(run.folder()).info());
    train(run); // which has ended
  }

  @Test
  void aRunIsReadAsItWasWritten() {
    Run run = run("run", recipe("resnet8", 1, 15, 1));
    assertEquals(run.info(), Run.open(run.folder()).info());
    assertEquals(List.of(), run.metrics());
    assertEquals(recipe("resnet8", 1, 15, 1), run.recipe());
  }

  @Test
  void aRunOfANewerFormatIsRefused() throws IOException {
    Run run = run("run", recipe("resnet8", 1, 15, 1));
    Path file = run.folder().resolve("run.json");
    String json = Files.readString(file);
    Files.writeString(file, json.replaceFirst("\"format\" : 10", "\"format\" : 11"));
    var e = assertThrows(BadFileException.class, () -> Run.open(run.folder()));
    assertTrue(e.getMessage().contains("format 11"), e.getMessage());
    assertTrue(e.getMessage().contains("reads 10"), e.getMessage());
    Files.writeString(file, json.replaceFirst("\\{", "{\"added\" : [1, 2],"));
    assertEquals(run.info(), Run.open(run.folder()).info(), "a field of a later version");
  }

  @Test
  void aRunOfBeforeThereWasAPrecisionIsInFloat32() throws IOException {
    Run run = run("run", recipe("resnet8", 1, 15, 1));
    Path file = run.folder().resolve("run.json");
    String json = Files.readString(file);
    String before =
        withoutCurve(json)
            .replace("\"format\" : 10", "\"format\" : 3")
            .replaceFirst(",\\s*\"precision\" : \"FP32\"", "");
    assertFalse(before.contains("precision"), before);
    Files.writeString(file, before);
    assertSameButData(run);
  }

  @Test
  void aRunOfBeforeThereWereCurvesGoesInSteps() throws IOException {
    Run run = run("run", recipe("resnet8", 1, 15, 1));
    Path file = run.folder().resolve("run.json");
    String before =
        withoutCurve(Files.readString(file)).replace("\"format\" : 10", "\"format\" : 4");
    assertFalse(before.contains("curve") || before.contains("smoothing"), before);
    Files.writeString(file, before);
    assertSameButData(run);
  }

  @Test
  void aRunOfBeforeThereWerePhotosHasItsImagesInMemory() throws IOException {
    Run run = run("run", recipe("resnet8", 1, 15, 1));
    Path file = run.folder().resolve("run.json");
    String before =
        withoutPhotos(Files.readString(file)).replace("\"format\" : 10", "\"format\" : 5");
    assertFalse(before.contains("\"part\""), before);
    Files.writeString(file, before);
    assertSameButData(run);
  }

  /// Older formats do not know their data.
  private static void assertSameButData(Run run) {
    Run.Info is = run.info();
    Run.Info read = Run.open(run.folder()).info();
    assertFalse(read.data().identity().known());
    assertEquals(
        is,
        new Run.Info(
            read.format(),
            read.source(),
            read.started(),
            read.recipe(),
            read.classes(),
            read.input(),
            is.classCounts(),
            is.data(),
            read.machine()));
  }

  private static String withoutPhotos(String json) {
    return json.replaceFirst("\"size\" : 0,\\s*\"part\" : false,", "")
        .replaceFirst("(?s)\"data\" : \\{.*(?=\"machine\")", "");
  }

  private static String withoutCurve(String json) {
    return withoutPhotos(json)
        .replaceFirst(",\\s*\"validation\" : 0", "")
        .replaceFirst(
            ",\\s*\"recording\" : \\{\\s*\"watch\" : \\[ \\],\\s*\"tensorboard\" : false\\s*\\}",
            "")
        .replaceFirst(",\\s*\"curve\" : \"STEPS\"", "")
        .replaceFirst(",\\s*\"smoothing\" : 0.0", "");
  }

  /// Right or refused: a description with a line less is no description.
  @Test
  void aDamagedDescriptionIsRefused() throws IOException {
    Run run = run("run", recipe("resnet8", 1, 15, 1));
    Path file = run.folder().resolve("run.json");
    List<String> lines = Files.readAllLines(file);
    String whole = Files.readString(file);
    for (String damaged :
        List.of(
            "", "null", "[]", "5", "{", "{}", "\0\u00ff", "{\"format\" : 3}", "{\"format\" : 5}")) {
      refuse(run, file, damaged);
    }
    for (int cut = 1; cut < whole.length() - 2; cut += 7) {
      refuse(run, file, whole.substring(0, whole.length() - 2 - cut));
    }
    for (int i = 1; i < lines.size() - 1; i++) {
      var fewer = new ArrayList<>(lines);
      String gone = fewer.remove(i);
      if (gone.contains(" : ")) {
        // The line before the last of an object needs no comma.
        String json = String.join("\n", fewer).replaceAll(",(\\s*})", "$1");
        refuse(run, file, json);
        refuse(run, file, whole.replace(gone, gone.replaceFirst(" : [^\\[{,]+", " : null")));
      }
    }
    refuse(run, file, whole.replace("\"epochs\" : 1", "\"epochs\" : 0"));
    refuse(run, file, whole.replace("\"resnet8\"", "\"resnet9\""));
    refuse(run, file, whole.replace("\"rate\" : 0.1", "\"rate\" : -0.1"));
    Files.write(file, new byte[] {(byte) 0xff, (byte) 0xfe, 0x7b});
    assertThrows(BadFileException.class, () -> Run.open(run.folder()));
  }

  private static void refuse(Run run, Path file, String json) throws IOException {
    if (json.equals(Json.pretty(run.info()))) {
      return;
    }
    Files.writeString(file, json);
    try {
      Run opened = Run.open(run.folder());
      assertEquals(run.info(), opened.info(), "was accepted: " + json);
    } catch (BadFileException e) {
      assertTrue(e.getMessage().startsWith(file.toString()), e.getMessage());
    }
  }

  @Test
  void metricsThatAreNoneAreRefused() throws IOException {
    Run run = run("run", recipe("resnet8", 1, 15, 1));
    train(run);
    List<String> lines = Files.readAllLines(metricsFile(run));
    for (String bad :
        List.of("", "{", "5", "null", "{\"kind\":\"other\"}", "{\"kind\":\"epoch\"}")) {
      var damaged = new ArrayList<>(lines);
      damaged.set(1, bad);
      Files.write(metricsFile(run), damaged);
      var e = assertThrows(BadFileException.class, run::metrics, "accepted: " + bad);
      assertTrue(e.getMessage().startsWith(metricsFile(run).toString()), e.getMessage());
    }
  }

  @Test
  void aCheckpointOfAnotherModelIsRefused() {
    Run run = run("run", recipe("resnet8", 1, 15, 1));
    train(run);
    Run other = run("other", recipe("resnet14", 2, 15, 1));
    assertThrows(
        BadFileException.class,
        () -> {
          Files.copy(run.checkpoint(), other.checkpoint());
          train(other);
        });
  }

  // ---- What it measures

  @Test
  void anEvaluationDoesNotDependOnTheNumberOfWorkers() {
    Run run = run("run", recipe("resnet8", 2, 15, 1));
    train(run);
    Images images = DIGITS.test().take(300).images(); // more than one batch
    var alone = new Evaluation[1];
    for (int workers = 1; workers <= 3; workers++) {
      Workers.run(
          workers,
          all -> {
            try (var _ = Scope.open()) {
              var net = run.imageNet(Init.zeros());
              Weights.read(run.checkpoint(), net);
              Evaluation evaluation = Evaluation.of(net, images, run.normalization(), all);
              if (all.size() == 1) {
                alone[0] = evaluation;
              }
              assertEquals(300, evaluation.count());
              assertEquals(alone[0].errors(), evaluation.errors());
              assertEquals(alone[0].crossEntropy(), evaluation.crossEntropy(), 1e-6);
              assertEquals(evaluation.errors() / 3.0, evaluation.error(), 1e-12);
            }
          });
    }
  }

  /// One worker hears of it, and all leave together, after the batch they are at.
  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void anEvaluationListens(int workers) {
    Run run = run("run", recipe("resnet8", 1, 15, 1));
    Images images = DIGITS.train().take(1400).images();
    var seen = new AtomicLong();
    Workers.run(
        workers,
        all -> {
          try (var _ = Scope.open()) {
            var net = run.imageNet(Init.he(1));
            assertThrows(
                StoppedException.class,
                () ->
                    Evaluation.of(
                        net,
                        images,
                        Normalization.perChannel(images),
                        all,
                        (rows, _) -> seen.addAndGet(rows.count()),
                        () -> all.rank() == all.size() - 1));
          }
        });
    assertTrue(seen.get() >= 256 / workers && seen.get() < 1400, "looked at " + seen);
  }

  @Test
  void anErrorIsALargestLogitInAnotherClass() {
    try (var _ = Scope.open()) {
      Tensor logits = Tensor.of(new float[] {1, 2, 3, 9, 8, 7, 5, 5, 4}, 3, 3);
      assertEquals(0, CrossEntropy.errors(logits, new int[] {2, 0, 0}));
      assertEquals(2, CrossEntropy.errors(logits, new int[] {1, 0, 1}), "the first of equals");
      assertEquals(0, CrossEntropy.errors(Tensor.zeros(DType.FLOAT32, 0, 3), new int[0]));
    }
  }

  @Test
  void aReportOnTheLayersLeavesTheNetAsItWas() {
    var reports = new ArrayList<Metrics.Layers>();
    Trainer.of(
            init ->
                Architecture.images("resnet8", Architecture.Options.NONE)
                    .on(new ImageShape(1, 8, 8), 10)
                    .build(init),
            ImageClassification.of(FEW))
        .epochs(1)
        .batch(50)
        .workers(1)
        .listen(
            new Listener() {
              @Override
              public void begin(Moment now, boolean evaluated) {
                var state = now.net().state().values();
                var before = new ArrayList<double[]>();
                state.forEach(param -> before.add(param.value().toDoubles()));
                reports.add(LayerReport.of(now));
                int i = 0;
                for (var param : state) {
                  assertArrayEquals(before.get(i++), param.value().toDoubles());
                  if (param.trained()) {
                    assertEquals(0, param.grad().square().sum().item());
                  }
                }
                assertNull(now.net().state().get("conv1.bias"));
              }
            })
        .fit();
    Metrics.Layers report = reports.getFirst();
    assertEquals(0, report.step());
    assertEquals(7, report.responses().size()); // one norm behind each of 7 convolutions
    assertEquals(8, report.gradients().size()); // and the dense layer
    report
        .responses()
        .forEach(entry -> {
          assertTrue(entry.layer().matches("(layer\\d\\.0\\.)?bn\\d"), entry.layer());
          assertEquals(1, entry.value(), 1e-2, "what a fresh norm gives has standard deviation 1");
        });
    report
        .gradients()
        .forEach(entry -> {
          assertTrue(entry.layer().endsWith("weight"), entry.layer());
          assertTrue(entry.value() > 0);
        });
  }
}
