package fathom.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.DType;
import fathom.Layer;
import fathom.Param;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.Traced;
import fathom.data.Data;
import fathom.data.DataSet;
import fathom.data.Epochs;
import fathom.data.MaskImage;
import fathom.data.MaskSet;
import fathom.data.Rows;
import fathom.data.Text;
import fathom.data.Vocabulary;
import fathom.loss.Loss;
import fathom.loss.SquaredError;
import fathom.net.Architecture;
import fathom.nn.BatchNorm;
import fathom.nn.Chain;
import fathom.nn.Dense;
import fathom.nn.Init;
import fathom.optim.Schedule;
import fathom.optim.Sgd;
import fathom.parallel.Launch;
import fathom.parallel.LostProcessException;
import fathom.parallel.Processes;
import fathom.parallel.Step;
import fathom.task.EpochSession;
import fathom.task.Figures;
import fathom.task.LayerTask;
import fathom.task.Objective;
import fathom.task.Setting;
import fathom.task.Supervised;
import fathom.train.LastSave;
import fathom.train.Listener;
import fathom.train.Metrics;
import fathom.train.Moment;
import fathom.train.Trained;
import fathom.train.Trainer;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Trainings over processes, which are threads of this JVM here but meet over the network as others
/// do. How they end when one is killed is in the tests of the command line.
class ProcessesTest {
  private static final DataSet DIGITS = DataSet.open("digits");

  private static final DataSet FEW =
      new DataSet("digits", DIGITS.classes(), DIGITS.train().take(100), DIGITS.test().take(30));

  private static final Text TEXT = text("the cat sat on the mat; ".repeat(17).substring(0, 400));

  private static final double EQUAL = 1e-6;

  @TempDir private Path folder;

  private static Text text(String characters) {
    Vocabulary vocabulary = Vocabulary.of(characters.codePoints().toArray());
    int[] all = vocabulary.encode(characters);
    int train = all.length - all.length / 10;
    return new Text(
        "text:x",
        vocabulary,
        Arrays.copyOf(all, train),
        Arrays.copyOfRange(all, train, all.length));
  }

  private static Recipe images(int workers, int processes, boolean sync) {
    var net = Architecture.images("resnet8", new Architecture.Options(null, null, 4, null, null));
    return Recipe.usual(net, FEW, 11, workers)
        .withEpochs(2)
        .withBatch(20)
        .executed(execution -> execution.over(processes, sync));
  }

  /// A bright rectangle on a noisy ground, of sizes that differ.
  private static MaskSet masks() {
    var images = new ArrayList<MaskImage>();
    for (int i = 0; i < 24; i++) {
      RandomKey key = RandomKey.of(4, "rectangles").at(i);
      int height = 19 + key.below(0, 5);
      int width = 22 + key.below(1, 6);
      byte[] pixels = new byte[height * width];
      byte[] mask = new byte[height * width];
      for (int p = 0; p < pixels.length; p++) {
        mask[p] = (byte) (p / width > 5 && p / width < 14 && p % width > 8 ? 1 : 0);
        pixels[p] = (byte) (60 + 70 * mask[p] + key.below(10 + p, 60));
      }
      images.add(new MaskImage("image" + i, 1, height, width, pixels, mask));
    }
    return new MaskSet(
        "masks:rectangles",
        List.of("background", "rectangle"),
        images.subList(0, 18),
        null,
        images.subList(18, 24));
  }

  private static Recipe masks(MaskSet masks, int workers, int processes) {
    var options = new Architecture.Options(null, null, 4, null, 2);
    return Recipe.usual(Architecture.masks("masknet", options), masks, 5, workers)
        .withEpochs(2)
        .withBatch(6)
        .with(Preprocessing.photos(16, true))
        .with(Optimization.sgd(0.05, List.of(0.6, 0.85)))
        .executed(execution -> execution.over(processes, true));
  }

  /// By SGD and without layer norm: Adam divides gradients near zero by themselves, and a norm of
  /// states near zero multiplies them by up to 1/√ε, which makes the rounding of sums in another
  /// order visible. (With `ln-lstm`, three and six threads of one process differ by 1e-6 as well.)
  private static Recipe text(int workers, int processes) {
    var options = new Architecture.Options(null, null, null, 12, 2);
    return Recipe.usual(Architecture.text("lstm", options), TEXT, 5, workers)
        .withEpochs(2)
        .withBatch(5)
        .withWindow(12)
        .with(Optimization.sgd(0.1, List.of(0.6, 0.85)))
        .executed(execution -> execution.over(processes, true));
  }

  /// What processes on this host do together, by rank.
  private static <T> List<Future<T>> together(
      int size, Duration timeout, Function<Processes, T> program) throws Exception {
    int port;
    try (var free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    var all = new ArrayList<Future<T>>();
    try (var threads = Executors.newCachedThreadPool()) {
      for (int rank = 0; rank < size; rank++) {
        var environment = new HashMap<String, String>();
        environment.put("RANK", Integer.toString(rank));
        environment.put("WORLD_SIZE", Integer.toString(size));
        environment.put("MASTER_ADDR", "127.0.0.1");
        environment.put("MASTER_PORT", Integer.toString(port));
        Launch launch = Launch.of(environment::get);
        all.add(
            threads.submit(() -> {
              try (var processes = Processes.join(launch, timeout)) {
                return processes.telling(() -> program.apply(processes));
              }
            }));
      }
    }
    return all;
  }

  private static <T> List<T> done(List<Future<T>> all) throws Exception {
    var results = new ArrayList<T>();
    for (Future<T> each : all) {
      results.add(each.get());
    }
    return results;
  }

  private static final Duration PATIENT = Duration.ofSeconds(60);

  /// Trains the run over processes, each of which opens it, and returns what each has as a result.
  private static List<RunTraining.Result> train(
      Run run, Data data, Function<Integer, BooleanSupplier> stop) throws Exception {
    return done(
        together(
            run.recipe().execution().processes(),
            PATIENT,
            processes ->
                RunTraining.train(
                    Run.open(run.folder()),
                    data,
                    1,
                    Progress.NONE,
                    stop.apply(processes.rank()),
                    new LastSave(),
                    processes)));
  }

  private static List<RunTraining.Result> train(Run run, Data data) throws Exception {
    return train(run, data, _ -> () -> false);
  }

  private static void assertSameLosses(Run expected, Run run) {
    List<Double> losses = losses(expected);
    assertEquals(losses.size(), losses(run).size());
    for (int i = 0; i < losses.size(); i++) {
      assertEquals(losses.get(i), losses(run).get(i), EQUAL * losses.get(i), "loss " + i);
    }
  }

  private static List<Double> losses(Run run) {
    var losses = new ArrayList<Double>();
    for (Metrics line : run.metrics()) {
      if (line instanceof Metrics.Epoch epoch) {
        losses.add(epoch.trainLoss());
        losses.add(epoch.testLoss());
      }
    }
    return losses;
  }

  // ---- The same as in one process

  @ParameterizedTest
  @CsvSource({"2, 1", "3, 1", "2, 2"})
  void imagesAreLearnedAsByOneProcessWithAsManyWorkers(int processes, int workers)
      throws Exception {
    Run alone = Run.create(folder.resolve("alone"), images(processes * workers, 1, true), FEW);
    var expected = RunTraining.train(alone, FEW);
    Run spread = Run.create(folder.resolve("spread"), images(workers, processes, true), FEW);
    var results = train(spread, FEW);
    assertSameLosses(alone, spread);
    for (var result : results) {
      assertTrue(result.finished());
      assertEquals(
          expected.tested().crossEntropy(),
          result.tested().crossEntropy(),
          EQUAL * expected.tested().crossEntropy(),
          "every process has the result");
    }
    assertTrue(Files.exists(spread.folder().resolve("answers.json")), "of all test images");
  }

  @ParameterizedTest
  @CsvSource({"2, 1", "3, 1", "2, 2"})
  void masksAreLearnedAsByOneProcessWithAsManyWorkers(int processes, int workers) throws Exception {
    MaskSet masks = masks();
    Run alone = Run.create(folder.resolve("alone"), masks(masks, processes * workers, 1), masks);
    RunTraining.train(alone, masks);
    Run spread = Run.create(folder.resolve("spread"), masks(masks, workers, processes), masks);
    train(spread, masks);
    assertSameLosses(alone, spread);
  }

  /// The states of the streams are spread over the processes, and the checkpoint has all of them.
  @ParameterizedTest
  @CsvSource({"2, 1", "3, 1", "3, 2"})
  void textsAreLearnedAsByOneProcessWithAsManyWorkers(int processes, int workers) throws Exception {
    Run alone = Run.create(folder.resolve("alone"), text(processes * workers, 1), TEXT);
    RunTraining.train(alone, TEXT);
    Run spread = Run.create(folder.resolve("spread"), text(workers, processes), TEXT);
    var steps = new AtomicLong();
    train(spread, TEXT, rank -> () -> rank == 1 && steps.incrementAndGet() == 4);
    train(spread, TEXT); // goes on in the middle of an epoch, with the states from the checkpoint
    assertSameLosses(alone, spread);
  }

  @Test
  void statisticsOfEachProcessAreOthers() throws Exception {
    Run exact = Run.create(folder.resolve("exact"), images(1, 2, true), FEW);
    train(exact, FEW);
    Run own = Run.create(folder.resolve("own"), images(1, 2, false), FEW);
    train(own, FEW);
    Run shards =
        Run.create(
            folder.resolve("shards"),
            images(2, 1, false).executed(execution -> execution.withShardStatistics(true)),
            FEW);
    RunTraining.train(shards, FEW);
    assertNotEquals(losses(exact), losses(own));
    assertEquals(
        losses(shards).getFirst(),
        losses(own).getFirst(),
        EQUAL,
        "a process is a share of its own");
  }

  // ---- It repeats, stops and goes on

  @Test
  void aTrainingRepeatsAndGoesOnBitByBit() throws Exception {
    Run first = Run.create(folder.resolve("first"), images(2, 2, false), FEW);
    train(first, FEW);
    Run stopped = Run.create(folder.resolve("stopped"), images(2, 2, false), FEW);
    var steps = new AtomicLong();
    var results = train(stopped, FEW, rank -> () -> rank == 1 && steps.incrementAndGet() == 3);
    for (var result : results) {
      assertFalse(result.finished(), "one process that is asked to stop stops all");
      assertEquals(3, result.step());
    }
    train(stopped, FEW);
    assertEquals(Bits.of(first), Bits.of(stopped));
  }

  @Test
  void itGoesOnWithAnotherNumberOfProcesses() throws Exception {
    Run alone = Run.create(folder.resolve("alone"), images(1, 1, true), FEW);
    RunTraining.train(alone, FEW);
    Run spread = Run.create(folder.resolve("spread"), images(1, 3, true), FEW);
    var steps = new AtomicLong();
    train(spread, FEW, rank -> () -> rank == 2 && steps.incrementAndGet() == 3);
    Run further = spread.goOn(images(1, 2, true), FEW, false);
    train(further, FEW);
    assertSameLosses(alone, further);
  }

  // ---- A program's own training

  @Test
  void aTaskAndANetOfOnesOwnGoOverProcesses() throws Exception {
    var inputs = new float[64][2];
    var targets = new float[64][1];
    for (int i = 0; i < inputs.length; i++) {
      int row = i / 8;
      inputs[i] = new float[] {i % 8, row};
      targets[i] = new float[] {i % 8 - row};
    }
    var task = Supervised.of(inputs, targets, Loss.SQUARED_ERROR).heldOut(0.25);
    var alone = trainer(task, 2).fit();
    var heard = new AtomicLong();
    List<Trained<Layer>> spread =
        done(
            together(
                2,
                PATIENT,
                processes ->
                    trainer(task, 1)
                        .processes(processes)
                        .syncBatchNorm()
                        .in(folder.resolve("own"))
                        .listen(
                            new Listener() {
                              @Override
                              public void step(Moment now) {
                                heard.incrementAndGet();
                              }
                            })
                        .fit()));
    for (var trained : spread) {
      assertEquals(alone.test().loss(), trained.test().loss(), EQUAL * alone.test().loss());
    }
    assertEquals(2 * 6, heard.get(), "listeners are heard in rank 0 alone");
    try (var _ = Scope.open()) {
      assertArrayEquals(
          weights(spread.get(0)), weights(spread.get(1)), "all processes end with equal weights");
    }
  }

  /// y = σ(g) ⊙ x for a trained gate g of F features: a layer of a user's own.
  private record Gate(Param gate) implements Layer {
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

  /// A task of a user's own, without a data set: from 6 noisy measurements of a number, the number.
  private record Numbers(Setting setting) implements EpochSession<Layer> {
    @Override
    public Epochs epochs() {
      return setting.over(60);
    }

    @Override
    public Objective forward(Layer net, int step) {
      RandomKey key = RandomKey.of(setting.seed(), "numbers").at(Step.current().index());
      Rows own = setting.share(epochs().batch(step));
      Tensor numbers = normal(key, own, 1);
      return Objective.of(net, measured(key, own), y -> SquaredError.of(y, numbers));
    }

    @Override
    public Figures evaluate(Layer net, Part part) {
      RandomKey key = RandomKey.of(0, part.name());
      return setting.figures(
          50, own -> SquaredError.of(net.predict(measured(key, own)), normal(key, own, 1)));
    }

    private static Tensor measured(RandomKey key, Rows own) {
      return normal(key, own, 1).plus(normal(key, own, 6));
    }

    private static Tensor normal(RandomKey key, Rows own, int width) {
      Tensor all = Tensor.normal(key.at(width), DType.FLOAT32, own.to(), width);
      return all.narrow(0, own.from(), own.to());
    }
  }

  private static Layer gated(Init init) {
    return Chain.of(
        Dense.of(init, "0", 6, 8),
        BatchNorm.of(8),
        new Gate(Param.of(init.weights("2.gate", 8, 1, 8))),
        Dense.of(init, "3", 8, 1));
  }

  private static List<Double> losses(Trainer<Layer> trainer) {
    var losses = new ArrayList<Double>();
    trainer
        .optimizer(Sgd.paper())
        .schedule(Schedule.constant(0.05))
        .epochs(3)
        .batch(20)
        .listen(
            new Listener() {
              @Override
              public void epoch(Moment now, Metrics.Epoch epoch, boolean better) {
                losses.add(epoch.trainLoss());
                losses.add(epoch.testLoss());
              }
            })
        .fit();
    return losses;
  }

  @ParameterizedTest
  @CsvSource({"2, 1", "3, 1", "2, 2"})
  void anOwnLayerInAnOwnTaskIsLearnedAsByOneProcess(int processes, int workers) throws Exception {
    LayerTask task = Numbers::new;
    List<Double> alone =
        losses(Trainer.of(ProcessesTest::gated, task).workers(processes * workers));
    assertEquals(6, alone.size());
    List<Double> spread =
        done(together(
                processes,
                PATIENT,
                all ->
                    losses(
                        Trainer.of(ProcessesTest::gated, task)
                            .workers(workers)
                            .processes(all)
                            .syncBatchNorm())))
            .getFirst();
    assertEquals(6, spread.size());
    for (int i = 0; i < 6; i++) {
      assertEquals(alone.get(i), spread.get(i), EQUAL * alone.get(i), "loss " + i);
    }
  }

  private static double[] weights(Trained<Layer> trained) {
    return trained.net().params().getFirst().value().toDoubles();
  }

  private static Trainer<Layer> trainer(Supervised task, int workers) {
    return Trainer.of(init -> Dense.of(init, "0", 2, 1), task).epochs(2).batch(8).workers(workers);
  }

  // ---- What differs or fails is named everywhere

  @Test
  void whatDiffersIsNamedInEveryProcess() throws Exception {
    List<Future<Processes.@Nullable Difference>> all =
        together(
            3,
            PATIENT,
            processes -> {
              var facts = new LinkedHashMap<>(Map.of("`seed`", "1"));
              facts.put("`batch`", processes.rank() == 2 ? "32" : "64");
              assertEquals(null, processes.compare(new LinkedHashMap<>(Map.of("a", "b"))));
              return processes.compare(facts);
            });
    for (var difference : done(all)) {
      assertNotNull(difference);
      assertEquals(
          "all processes of a training do the same, but `batch` is 64 in rank 0 and 32 in rank 2",
          difference.toString());
    }
  }

  @Test
  void anotherNetIsRefusedBeforeTheFirstSum() throws Exception {
    var all =
        together(
            2,
            PATIENT,
            processes ->
                Trainer.of(
                        init -> Dense.of(init, "0", 2, 1 + processes.rank()),
                        Supervised.of(
                            new float[16][2],
                            new float[16][1 + processes.rank()],
                            Loss.SQUARED_ERROR))
                    .epochs(1)
                    .workers(1)
                    .processes(processes)
                    .fit());
    for (var each : all) {
      var failure = assertInstanceOf(IllegalArgumentException.class, failure(each));
      assertTrue(
          failure.getMessage().contains("the number of parameters is"), failure.getMessage());
    }
  }

  @Test
  void whoFailsSaysWhyToTheOthers() throws Exception {
    Run run = Run.create(folder.resolve("run"), images(1, 3, false), FEW);
    var steps = new AtomicLong();
    var all =
        together(
            3,
            PATIENT,
            processes ->
                RunTraining.train(
                    Run.open(run.folder()),
                    FEW,
                    1,
                    Progress.NONE,
                    () -> {
                      if (processes.rank() == 1 && steps.incrementAndGet() == 3) {
                        throw new IllegalStateException("the disk is gone");
                      }
                      return false;
                    },
                    new LastSave(),
                    processes));
    assertEquals("the disk is gone", failure(all.get(1)).getMessage());
    for (int rank : new int[] {0, 2}) {
      var lost = assertInstanceOf(LostProcessException.class, failure(all.get(rank)));
      assertEquals("rank 1 failed at step 2: the disk is gone", lost.getMessage());
    }
  }

  @Test
  void whoNeverStartsIsNamed() {
    var environment =
        Map.of("RANK", "0", "WORLD_SIZE", "2", "MASTER_ADDR", "127.0.0.1", "MASTER_PORT", port());
    var lost =
        assertThrows(
            LostProcessException.class,
            () -> Processes.join(Launch.of(environment::get), Duration.ofSeconds(1)));
    assertEquals("rank 1 has not started within 3.0 s", lost.getMessage());
    var other =
        Map.of("RANK", "1", "WORLD_SIZE", "2", "MASTER_ADDR", "127.0.0.1", "MASTER_PORT", port());
    var host =
        assertThrows(
            LostProcessException.class,
            () -> Processes.join(Launch.of(other::get), Duration.ofSeconds(1)));
    assertTrue(host.getMessage().startsWith("rank 0 at 127.0.0.1:"), host.getMessage());
    assertThrows(
        IllegalArgumentException.class,
        () -> Processes.join(Launch.NONE, Duration.ofMillis(1)),
        "a timeout of 0.001 s");
  }

  private static String port() {
    try (var free = new ServerSocket(0)) {
      return Integer.toString(free.getLocalPort());
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static Throwable failure(Future<?> of) {
    return assertThrows(ExecutionException.class, of::get).getCause();
  }
}
