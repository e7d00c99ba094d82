package fathom.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.DType;
import fathom.Layer;
import fathom.Param;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.Traced;
import fathom.data.Epochs;
import fathom.data.Rows;
import fathom.io.BadFileException;
import fathom.io.SafeTensors;
import fathom.loss.Loss;
import fathom.loss.SquaredError;
import fathom.nn.Chain;
import fathom.nn.Dense;
import fathom.nn.Init;
import fathom.nn.Residual;
import fathom.nn.Tanh;
import fathom.optim.Adam;
import fathom.optim.Schedule;
import fathom.optim.Sgd;
import fathom.parallel.Workers;
import fathom.task.Figures;
import fathom.task.LayerTask;
import fathom.task.Objective;
import fathom.task.Session;
import fathom.task.Setting;
import fathom.task.Source;
import fathom.task.StoppedException;
import fathom.task.Supervised;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A net and a task of a user's own go through the same training as those that are shipped.
class OwnTrainingTest {
  /// y = σ(g) ⊙ x for a trained gate g of F features.
  record Gate(Param gate) implements Layer {
    static Gate of(Init init, String path, int features) {
      return new Gate(Param.of(init.weights(path + ".gate", features, 1, features)));
    }

    @Override
    public Traced forward(Tensor x) {
      Tensor open = gate.value().sigmoid();
      return new Traced(
          x.times(open),
          dy -> {
            try (var scope = Scope.open()) {
              Tensor slope = open.minus(open.square());
              gate.grad().add_(dy.times(x).sum(0).times(slope));
              return scope.keep(dy.times(open));
            }
          });
    }

    @Override
    public Map<String, Param> own() {
      return Map.of("gate", gate);
    }
  }

  private static Layer net(Init init) {
    return new Chain(
        List.of(
            new Layer.Child("in", Dense.of(init, "in", 2, 8)),
            new Layer.Child("block", new Residual(Chain.of(Gate.of(init, "block", 8), new Tanh()))),
            new Layer.Child("out", Dense.of(init, "out", 8, 1))));
  }

  /// y = tanh(3·x0) − x1 over points of a square.
  private static float[][][] points(int count) {
    var inputs = new float[count][];
    var targets = new float[count][];
    RandomKey key = RandomKey.of(3, "points");
    for (int i = 0; i < count; i++) {
      float a = (float) (2 * key.uniform(2L * i) - 1);
      float b = (float) (2 * key.uniform(2L * i + 1) - 1);
      inputs[i] = new float[] {a, b};
      targets[i] = new float[] {(float) Math.tanh(3 * a) - b};
    }
    return new float[][][] {inputs, targets};
  }

  @Test
  void aSupervisedTaskIsALineAndANetOfOnesOwnLearnsIt() {
    float[][][] points = points(512);
    var task = Supervised.of(points[0], points[1], Loss.SQUARED_ERROR).heldOut(0.25);
    var trained =
        Trainer.of(OwnTrainingTest::net, task)
            .optimizer(Adam.of())
            .schedule(Schedule.constant(0.02))
            .epochs(30)
            .batch(32)
            .workers(2)
            .fit();
    assertTrue(trained.outcome().finished());
    assertEquals(30 * 12, trained.outcome().step());
    Figures test = trained.outcome().test();
    // A net that answers 0 everywhere is wrong by (E tanh² + 1/3)/2, which is 0.46.
    assertTrue(test.loss() < 0.46 / 20, "loss " + test.loss());
    try (var _ = Scope.open()) {
      Layer net = trained.net();
      double y = net.predict(Tensor.of(new float[] {0.5f, -0.5f}, 1, 2)).item();
      assertEquals(Math.tanh(1.5) + 0.5, y, 0.15);
    }
  }

  /// The same in float64, of a task of one's own: it notes the gradients of its first step.
  private static final class Points implements LayerTask {
    private final float[][][] points = points(50);

    @Override
    public Session<Layer> open(Setting setting) {
      Epochs epochs = setting.over(50);
      return new Session<>() {
        @Override
        public int steps() {
          return epochs.batches();
        }

        @Override
        public int examples(int step) {
          return epochs.batch(step).count();
        }

        @Override
        public Objective forward(Layer net, int step) {
          Rows own = setting.share(epochs.batch(step));
          var inputs = new double[2 * own.count()];
          var targets = new float[own.count()][];
          for (int i = 0; i < own.count(); i++) {
            inputs[2 * i] = points[0][own.from() + i][0];
            inputs[2 * i + 1] = points[0][own.from() + i][1];
            targets[i] = points[1][own.from() + i];
          }
          return Objective.of(
              net, Tensor.of(inputs, own.count(), 2), y -> SquaredError.of(y, targets));
        }

        @Override
        public @Nullable Figures evaluate(Layer net, Part part) {
          return null;
        }
      };
    }
  }

  private static double[] firstGradients(int workers) {
    var gradients = new ArrayList<double[]>();
    Trainer.of(
            init -> {
              Layer net = net(init);
              net.params().forEach(param -> param.convert(DType.FLOAT64));
              return net;
            },
            new Points())
        .optimizer(Sgd.of(0, 0))
        .schedule(Schedule.constant(0.1))
        .epochs(1)
        .batch(25)
        .workers(workers)
        .listen(
            new Listener() {
              @Override
              public void gradients(Moment now) {
                try (var _ = Scope.open()) {
                  gradients.add(now.params().gradient().toDoubles());
                }
              }
            })
        .fit();
    assertEquals(2, gradients.size());
    return gradients.getLast();
  }

  @Test
  void oneTwoAndThreeWorkersHaveTheSameGradients() {
    double[] one = firstGradients(1);
    assertTrue(Arrays.stream(one).anyMatch(g -> Math.abs(g) > 1e-3));
    assertArrayEquals(one, firstGradients(2), 1e-10);
    assertArrayEquals(one, firstGradients(3), 1e-10);
  }

  @Test
  void aPlantedNaNNamesItsLayer() {
    float[][][] points = points(64);
    for (int workers : new int[] {1, 2}) {
      var e =
          assertThrows(
              DivergedException.class,
              () ->
                  Trainer.of(
                          init -> {
                            var net = net(init);
                            net.state().get("block.0.gate").value().copy_(nans(8));
                            return net;
                          },
                          Supervised.of(points[0], points[1], Loss.SQUARED_ERROR))
                      .workers(workers)
                      .fit());
      assertTrue(e.getMessage().contains("block.0 "), e.getMessage());
      assertTrue(e.getMessage().contains("Gate"), e.getMessage());
    }
  }

  private static double[] nans(int count) {
    var nans = new double[count];
    Arrays.fill(nans, Double.NaN);
    return nans;
  }

  private static Trainer<Layer> inFolder(Path folder) {
    float[][][] points = points(64);
    return Trainer.of(
            OwnTrainingTest::net,
            Supervised.of(points[0], points[1], Loss.SQUARED_ERROR).heldOut(0.25))
        .schedule(Schedule.cosine(0.02))
        .epochs(6)
        .batch(7)
        .workers(2)
        .in(folder);
  }

  /// Weights, optimizer and metrics, but no times.
  private static List<String> left(Path folder) throws IOException {
    var left = new ArrayList<String>();
    try (var stored = SafeTensors.open(folder.resolve("checkpoint.safetensors"));
        Arena arena = Arena.ofConfined()) {
      for (String name : stored.names()) {
        byte[] bytes = stored.widened(name, arena).bytes().toArray(ValueLayout.JAVA_BYTE);
        left.add(name + " " + Arrays.hashCode(bytes));
      }
    }
    for (String line : Files.readAllLines(folder.resolve("metrics.jsonl"))) {
      left.add(line.replaceAll("\"(seconds|examplesPerSecond)\":[^,}]*", ""));
    }
    return left;
  }

  /// As if the process died: whatever happens, at whatever moment of a step or an epoch.
  @Test
  void killedAnywhereItGoesOnToTheSameBytes(@TempDir Path dir) throws IOException {
    inFolder(dir.resolve("whole")).fit();
    List<String> whole = left(dir.resolve("whole"));
    var random = RandomGenerator.of("L64X128MixRandom");
    Path killed = dir.resolve("killed");
    for (int kill = 0; kill < 20; kill++) {
      int after = random.nextInt(1, 12);
      var calls = new int[1];
      Runnable die =
          () -> {
            if (++calls[0] == after) {
              throw new IllegalStateException("killed");
            }
          };
      var listener =
          new Listener() {
            @Override
            public void gradients(Moment now) {
              die.run();
            }

            @Override
            public void moved(Moment now) {
              die.run();
            }

            @Override
            public void save(Moment now) {
              die.run();
            }

            @Override
            public void epoch(Moment now, Metrics.Epoch epoch, boolean best) {
              die.run();
            }
          };
      try {
        inFolder(killed).listen(listener).fit();
      } catch (IllegalStateException e) {
        assertEquals("killed", e.getMessage());
      }
    }
    assertTrue(inFolder(killed).fit().outcome().finished());
    assertEquals(whole, left(killed));
  }

  @Test
  void aFolderHoldsOneTraining(@TempDir Path dir) {
    inFolder(dir).stopWhen(() -> true).fit();
    var e = assertThrows(BadFileException.class, () -> inFolder(dir).seed(2).fit());
    assertTrue(e.getMessage().contains("seed was 1 and is 2 now"), e.getMessage());
    e = assertThrows(BadFileException.class, () -> inFolder(dir).optimizer(Sgd.paper()).fit());
    assertTrue(e.getMessage().contains("optimizer was"), e.getMessage());
    assertTrue(inFolder(dir).epochs(7).workers(1).fit().outcome().finished());
  }

  /// A task may be a lambda, whose class has another name in every process.
  @Test
  void aTaskWithoutANameIsTheProgramsOwn() {
    LayerTask named = new Points();
    LayerTask lambda = named::open;
    LayerTask anonymous =
        new LayerTask() {
          @Override
          public Session<Layer> open(Setting setting) {
            return named.open(setting);
          }
        };
    assertEquals("Points", named.name());
    assertEquals("of the program", lambda.name());
    assertEquals("of the program", anonymous.name());
  }

  @Test
  void aSourceOfFunctionsIsThatOfArrays() {
    float[][][] points = points(64);
    Source arrays = Source.of(points[0], points[1]);
    Source functions = Source.of(64, i -> points[0][i], i -> points[1][i]);
    assertEquals(losses(arrays), losses(functions));
    assertEquals(arrays.shape(), functions.shape());
    assertThrows(IllegalArgumentException.class, () -> Source.of(0, i -> null, i -> null));
  }

  private static Figures losses(Source source) {
    return Trainer.of(OwnTrainingTest::net, Supervised.of(source, Loss.SQUARED_ERROR).heldOut(0.25))
        .epochs(1)
        .workers(1)
        .fit()
        .test();
  }

  /// With nothing held out there is nothing that could be asked for.
  @Test
  void onlyWhatIsHeldOutIsATest() {
    float[][][] points = points(64);
    var task = Supervised.of(points[0], points[1], Loss.SQUARED_ERROR);
    var trained = Trainer.of(OwnTrainingTest::net, task).epochs(1).fit();
    var e = assertThrows(IllegalStateException.class, trained::test);
    assertTrue(e.getMessage().contains("holds nothing out"), e.getMessage());
    assertTrue(trained.training().loss() < 1, trained.training().toString());
    assertEquals(
        "loss 0.2500, error 1.5000 over 64", Figures.of(64, 0.25).with("error", 1.5).toString());
  }

  /// 2500 examples are three stretches, of which the last is small.
  @Test
  void workersMeasureEveryExampleOnce() {
    for (int workers : new int[] {1, 2, 3}) {
      Workers.run(
          workers,
          all -> {
            var setting = new Setting(all, 10, 1, 1, 0, () -> false);
            double[] sums =
                setting.measured(
                    2500,
                    2,
                    (own, add) -> {
                      assertEquals(0, Tensor.zeros(DType.FLOAT32, 1).item()); // there is a scope
                      for (int i = own.from(); i < own.to(); i++) {
                        add[0] += i;
                        add[1]++;
                      }
                    });
            assertArrayEquals(new double[] {2500 * 2499 / 2, 2500}, sums);
            Figures mean =
                setting.figures(
                    2500,
                    own -> {
                      double[] numbers =
                          IntStream.range(own.from(), own.to()).asDoubleStream().toArray();
                      return new Traced(
                          Tensor.of(numbers, numbers.length).mean(0).reshape(), _ -> null);
                    });
            assertEquals(2499 / 2.0, mean.loss(), 1e-9);
            assertEquals(2500, mean.count());
            // One worker that is asked to stop ends the measuring of all.
            var stopped = new Setting(all, 10, 1, 1, 0, () -> all.rank() == 0);
            assertThrows(
                StoppedException.class, () -> stopped.measured(2500, 1, (own, add) -> add[0]++));
          });
    }
  }

  @Test
  void targetsHaveTheShapeOfWhatTheNetGives() {
    try (var _ = Scope.open()) {
      Tensor y = Tensor.of(new float[] {1, 2, 3, 4}, 2, 2);
      float[][] rows = {{1, 1}, {1, 1}};
      Tensor ones = Tensor.of(new float[] {1, 1, 1, 1}, 2, 2);
      assertEquals(3.5, SquaredError.of(y, ones).value().item()); // (0 + 1 + 4 + 9)/(2·2)
      assertEquals(3.5, SquaredError.of(y, rows).value().item());
      Tensor column = Tensor.of(new float[] {1, 1}, 2, 1);
      for (Tensor other : List.of(column, ones.to(DType.FLOAT64))) {
        var e = assertThrows(IllegalArgumentException.class, () -> SquaredError.of(y, other));
        assertTrue(e.getMessage().startsWith("targets have the shape and type"), e.getMessage());
      }
    }
  }

  @Test
  void itStopsWhereItIsAskedTo() {
    float[][][] points = points(64);
    var saved = new ArrayList<Long>();
    var made = new long[1];
    var trained =
        Trainer.of(OwnTrainingTest::net, Supervised.of(points[0], points[1], Loss.SQUARED_ERROR))
            .batch(8)
            .stopWhen(() -> made[0] >= 11)
            .listen(
                new Listener() {
                  @Override
                  public void step(Moment now) {
                    made[0] = now.step();
                  }

                  @Override
                  public void save(Moment now) {
                    saved.add(now.step());
                  }
                })
            .fit();
    assertFalse(trained.outcome().finished());
    var e = assertThrows(IllegalStateException.class, trained::test);
    assertTrue(e.getMessage().contains("step 12 of 80"), e.getMessage());
    assertThrows(IllegalStateException.class, trained::training);
    assertEquals(12, trained.outcome().step());
    assertEquals(List.of(8L, 12L), saved);
  }
}
