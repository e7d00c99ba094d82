package fathom.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.Scope;
import fathom.data.DataSet;
import fathom.data.LabelledImages;
import fathom.data.Normalization;
import fathom.infer.ModelCard;
import fathom.io.BadFileException;
import fathom.io.SafeTensors;
import fathom.io.TensorFile;
import fathom.net.Architecture;
import fathom.net.CifarNet;
import fathom.net.ImageShape;
import fathom.nn.Init;
import fathom.parallel.Collective;
import fathom.task.Evaluation;
import fathom.task.ImageClassification;
import fathom.train.Tuning;
import fathom.train.Weights;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// A net that has learned the digits 0 to 9 learns whether a digit is even.
class FineTuningTest {
  private static final DataSet DIGITS = DataSet.open("digits");
  private static final CifarNet NET = CifarNet.named("resnet8").withWidth(4);

  /// Seven steps an epoch at a batch of 15.
  private static final DataSet PARITY =
      new DataSet(
          "parity",
          List.of("even", "odd"),
          parity(DIGITS.train().take(100)),
          parity(DIGITS.test().take(30)));

  @TempDir Path folder;
  private Path weights;

  private static LabelledImages parity(LabelledImages digits) {
    return digits.relabelled(Arrays.stream(digits.labels()).map(label -> label % 2).toArray());
  }

  /// Weights as a training leaves them: nothing in them is zero, one, or like anything else.
  @BeforeEach
  void train() {
    DataSet few =
        new DataSet("digits", DIGITS.classes(), DIGITS.train().take(200), DIGITS.test().take(20));
    Run run =
        Run.create(
            folder.resolve("digits"),
            Recipe.usual(NET, few, 3, 1).withEpochs(1).withBatch(50),
            few);
    RunTraining.train(run, few);
    weights = folder.resolve("weights.safetensors");
    try (var _ = Scope.open()) {
      var net = run.imageNet(Init.zeros());
      Weights.read(run.checkpoint(), net);
      Weights.write(weights, net, run.card(run.normalization()).metadata());
    }
  }

  private FineTuning from(Tuning tuning) {
    return FineTuning.of(weights, NET, PARITY, tuning);
  }

  private Run run(String name, int epochs, int workers, Tuning tuning) {
    Recipe recipe =
        Recipe.finetune(NET, PARITY, from(tuning), 5, workers).withEpochs(epochs).withBatch(15);
    return Run.create(folder.resolve(name), recipe, PARITY);
  }

  /// The tensors of a file by their names, as texts.
  private static String bits(Path file, String name) {
    try (var stored = SafeTensors.open(file)) {
      return HexFormat.of().formatHex(stored.tensor(name).bytes().toArray(ValueLayout.JAVA_BYTE));
    }
  }

  private void assertSame(Run run, String... names) {
    for (String name : names) {
      assertEquals(bits(weights, name), bits(run.checkpoint(), name), name);
    }
  }

  private void assertOther(Run run, String... names) {
    for (String name : names) {
      assertNotEquals(bits(weights, name), bits(run.checkpoint(), name), name);
    }
  }

  // ---- The recipe

  /// With few images a new classifier begins where one that is trained alone would end, and the
  /// layers before it as they were.
  @Test
  void aNewClassifierOfFewImagesBeginsFitted() {
    Recipe recipe = Recipe.finetune(NET, PARITY, from(Tuning.NONE), 5, 1);
    assertTrue(recipe.fineTuning().fittedHead());
    Evaluation drawn = begun(recipe.fineTuning().fittingHead(false), 1);
    Evaluation fitted = begun(recipe.fineTuning(), 1);
    assertTrue(fitted.error() < 25 && drawn.error() > 35, fitted + " " + drawn);
    assertTrue(fitted.crossEntropy() < 0.6, "its probabilities are no guesses: " + fitted);
    assertEquals(fitted, begun(recipe.fineTuning(), 2), "whatever the initial weights");
  }

  /// A pass of the images costs the same for each worker, and gives the same. Here other labels
  /// show that there is no second one.
  @Test
  void allWorkersGetTheClassifierOfTheFirst() {
    FineTuning from = Recipe.finetune(NET, PARITY, from(Tuning.NONE), 5, 1).fineTuning();
    var swapped = PARITY.train().relabelled(new int[] {1, 0});
    var other = new DataSet("swapped", PARITY.classes(), swapped, PARITY.test());
    var head = new FittedHead();
    try (var _ = Scope.open()) {
      var first = NET.on(new ImageShape(1, 8, 8), 2).build(Init.he(1));
      from.fill(first, ImageClassification.of(PARITY), head);
      var second = NET.on(new ImageShape(1, 8, 8), 2).build(Init.he(2));
      from.fill(second, ImageClassification.of(other), head);
      for (String name : List.of("linear.weight", "linear.bias")) {
        assertArrayEquals(
            first.state().get(name).value().toDoubles(),
            second.state().get(name).value().toDoubles(),
            name);
      }
    }
  }

  /// The evaluation of the training images before the first step.
  private static Evaluation begun(FineTuning from, int seed) {
    try (var _ = Scope.open()) {
      var task = ImageClassification.of(PARITY);
      var net = NET.on(new ImageShape(1, 8, 8), 2).build(Init.he(seed));
      from.fill(net, task, new FittedHead());
      var before = NET.on(new ImageShape(1, 8, 8), 2).build(Init.he(seed));
      from.fittingHead(false).fill(before, task, new FittedHead());
      for (String name : List.of("conv1.weight", "layer3.0.bn2.running_var")) {
        assertArrayEquals(
            before.state().get(name).value().toDoubles(),
            net.state().get(name).value().toDoubles(),
            name);
      }
      return Evaluation.of(net, PARITY.train(), task.normalization(), Collective.ALONE);
    }
  }

  /// Images, batch, learning rate and steps of the warm-up, which is an epoch.
  @ParameterizedTest
  @CsvSource({
    "true, 100, 16, 0.0125, 7",
    "true, 499, 16, 0.0125, 32",
    "true, 500, 32, 0.0125, 16",
    "false, 100, 32, 0.00125, 4",
    "false, 1000, 32, 0.00125, 32"
  })
  void fewImagesForANewClassifierComeInSmallerBatches(
      boolean newHead, int images, int batch, double learningRate, long warmUp) {
    LabelledImages some = DIGITS.train().take(images);
    DataSet data =
        new DataSet(
            "some",
            newHead ? List.of("even", "odd") : DIGITS.classes(),
            newHead ? parity(some) : some,
            newHead ? parity(DIGITS.test()) : DIGITS.test());
    Recipe recipe =
        Recipe.finetune(NET, data, FineTuning.of(weights, NET, data, Tuning.NONE), 5, 1);
    assertEquals(newHead, recipe.fineTuning().newHead());
    assertEquals(batch == 16, recipe.fineTuning().fittedHead());
    assertEquals(batch, recipe.batch());
    assertEquals(learningRate, recipe.optimization().learningRate().peak(), 1e-12);
    assertEquals(warmUp, recipe.optimization().learningRate().warmUp());
    assertEquals(10, recipe.epochs());
  }

  // ---- What becomes of the layers

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void frozenLayersKeepTheirWeightsAndStatistics(int workers) {
    Run run = run("frozen", 1, workers, new Tuning("layer2", 0, 1));
    RunTraining.train(run, PARITY);
    assertSame(
        run,
        "conv1.weight",
        "bn1.running_mean",
        "layer1.0.conv2.weight",
        "layer1.0.bn2.running_var");
    assertOther(run, "layer2.0.conv1.weight", "layer2.0.bn1.running_mean", "layer3.0.bn2.bias");
  }

  /// Inside a block, whose branch is frozen in part.
  @Test
  void aLayerInsideABlockMayBeTheFirstThatIsTrained() {
    Run run = run("frozen", 1, 1, new Tuning("layer2.0.conv2", 0, 1));
    RunTraining.train(run, PARITY);
    assertSame(run, "layer2.0.conv1.weight", "layer2.0.bn1.running_mean", "layer2.0.bn1.weight");
    assertOther(run, "layer2.0.conv2.weight", "layer2.0.bn2.running_mean");
  }

  @Test
  void aLinearProbeTrainsTheClassifierAloneAndThenAll() {
    Run probe = run("probe", 1, 1, new Tuning("", 1, 1));
    RunTraining.train(probe, PARITY);
    for (String name : names(weights)) {
      if (!name.startsWith("linear.") && !name.startsWith("input.")) {
        assertSame(probe, name);
      }
    }
    assertNotEquals(
        "0".repeat(16), bits(probe.checkpoint(), "linear.bias"), "the classifier has learned");
    Run both = run("both", 2, 1, new Tuning("", 1, 1));
    RunTraining.train(both, PARITY);
    assertOther(both, "conv1.weight", "bn1.running_mean", "layer3.0.conv2.weight");
  }

  /// Both optimizers: what Adam carries must not have aged while layers were frozen.
  @ParameterizedTest
  @ValueSource(strings = {"SGD", "ADAMW"})
  void theStepsAfterALinearProbeAreThoseOfANewOptimizer(String method) {
    var optimizer = Optimization.Method.valueOf(method);
    Recipe recipe =
        Recipe.finetune(NET, PARITY, from(new Tuning("", 1, 1)), 5, 1)
            .withEpochs(2)
            .withBatch(100)
            .optimized(usual -> Optimization.sgd(0.01, List.of()).by(optimizer).withRate(0.01));
    Run probed = Run.create(folder.resolve("probed"), recipe, PARITY);
    RunTraining.train(probed, PARITY, Progress.NONE, () -> true); // one step, one epoch
    try (var _ = Scope.open()) {
      var net = probed.imageNet(Init.zeros());
      Weights.read(probed.checkpoint(), net);
      Weights.write(
          folder.resolve("middle.safetensors"),
          net,
          probed.card(probed.normalization()).metadata());
    }
    RunTraining.train(Run.open(probed.folder()), PARITY, Progress.NONE, () -> false);
    FineTuning middle =
        FineTuning.of(folder.resolve("middle.safetensors"), NET, PARITY, Tuning.NONE);
    assertFalse(middle.newHead());
    Run second = Run.create(folder.resolve("second"), recipe.with(middle).withEpochs(1), PARITY);
    RunTraining.train(second, PARITY);
    // The order of an epoch's images differs, but a batch is all of them, and augmentation is none.
    try (var a = SafeTensors.open(probed.checkpoint());
        var b = SafeTensors.open(second.checkpoint())) {
      for (String name : List.of("conv1.weight", "linear.weight")) {
        float[] x = a.tensor(name).bytes().toArray(ValueLayout.JAVA_FLOAT);
        float[] y = b.tensor(name).bytes().toArray(ValueLayout.JAVA_FLOAT);
        for (int i = 0; i < x.length; i++) {
          assertEquals(x[i], y[i], 1e-5, name);
        }
      }
    }
  }

  // ---- It is exact

  @ParameterizedTest
  @CsvSource({"1, 4", "2, 5", "1, 7"}) // 7 is an epoch: it stops at the end of the probe as well
  void aKilledFineTuningGoesOnBitByBitWithoutTheFile(int workers, int every) throws IOException {
    var tuning = new Tuning("layer1", 1, 0.7);
    Run whole = run("whole", 3, workers, tuning);
    RunTraining.train(whole, PARITY);
    Run stopped = run("stopped", 3, workers, tuning);
    boolean finished = false;
    while (!finished) {
      var steps = new AtomicLong();
      finished =
          RunTraining.train(
                  Run.open(stopped.folder()),
                  PARITY,
                  Progress.NONE,
                  () -> steps.incrementAndGet() == every)
              .finished();
      Files.deleteIfExists(weights);
    }
    assertEquals(Bits.of(whole), Bits.of(stopped));
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3})
  void theNumberOfWorkersChangesOnlyRounding(int workers) {
    var tuning = new Tuning("layer1", 1, 0.7);
    Run one = run("one", 2, 1, tuning);
    Run more = run("more", 2, workers, tuning);
    RunTraining.train(one, PARITY);
    RunTraining.train(more, PARITY);
    try (var a = SafeTensors.open(one.checkpoint());
        var b = SafeTensors.open(more.checkpoint())) {
      for (String name : a.names()) {
        float[] x = a.tensor(name).bytes().toArray(ValueLayout.JAVA_FLOAT);
        float[] y = b.tensor(name).bytes().toArray(ValueLayout.JAVA_FLOAT);
        for (int i = 0; i < x.length; i++) {
          assertEquals(x[i], y[i], 1e-4, name);
        }
      }
    }
  }

  // ---- The classifier, the preprocessing, and what does not fit

  @Test
  void theClassifierIsKeptForTheSameClassesAndNewForOthers() throws IOException {
    assertTrue(from(Tuning.NONE).newHead(), "other names");
    assertFalse(FineTuning.of(weights, NET, DIGITS, Tuning.NONE).newHead(), "the same names");
    var renamed =
        new DataSet(
            "letters",
            List.of("a", "b", "c", "d", "e", "f", "g", "h", "i", "j"),
            DIGITS.train(),
            DIGITS.test());
    assertTrue(FineTuning.of(weights, NET, renamed, Tuning.NONE).newHead(), "as many others");
    withoutMetadata();
    assertFalse(FineTuning.of(weights, NET, renamed, Tuning.NONE).newHead(), "by their number");
    assertTrue(from(Tuning.NONE).newHead(), "by their number");
  }

  /// The same classes in another order: each class keeps its row, whatever its label is now.
  @Test
  void theRowsOfTheClassifierFollowTheNamesOfTheClasses() {
    int[] labels = {4, 7, 0, 1, 2, 3, 9, 5, 6, 8}; // of the digits, in the order of the new names
    List<String> names =
        Arrays.stream(labels).mapToObj(label -> DIGITS.classes().get(label)).toList();
    int[] to = new int[labels.length];
    for (int label = 0; label < labels.length; label++) {
      to[labels[label]] = label;
    }
    var data =
        new DataSet("shuffled", names, DIGITS.train().relabelled(to), DIGITS.test().relabelled(to));
    FineTuning from = FineTuning.of(weights, NET, data, Tuning.NONE);
    assertFalse(from.newHead());
    assertEquals(Arrays.stream(labels).boxed().toList(), from.headRows());
    assertEquals(List.of(), FineTuning.of(weights, NET, DIGITS, Tuning.NONE).headRows());
    try (var _ = Scope.open()) {
      var plain = NET.on(new ImageShape(1, 8, 8), 10).build(Init.zeros());
      Weights.read(weights, plain);
      var tuned = NET.on(new ImageShape(1, 8, 8), 10).build(Init.he(1));
      from.fill(tuned, ImageClassification.of(data), new FittedHead());
      for (String name : List.of("linear.weight", "linear.bias")) {
        double[] before = plain.state().get(name).value().toDoubles();
        double[] after = tuned.state().get(name).value().toDoubles();
        int width = before.length / labels.length;
        for (int i = 0; i < after.length; i++) {
          assertEquals(before[labels[i / width] * width + i % width], after[i], name);
        }
      }
    }
    Recipe recipe = Recipe.finetune(NET, data, from, 5, 1).withEpochs(1).withBatch(500);
    Run run = Run.create(folder.resolve("shuffled"), recipe, data);
    assertEquals(from, Run.open(run.folder()).recipe().fineTuning(), "run.json keeps the rows");
  }

  @Test
  void rowsThatAreNoPermutationAreRefused() {
    for (List<Integer> rows : List.of(List.of(0, 0), List.of(1, 2), List.of(-1, 0))) {
      assertThrows(
          IllegalArgumentException.class,
          () -> new FineTuning("w", "", false, false, rows, List.of(), List.of(), Tuning.NONE));
    }
    assertThrows(
        IllegalArgumentException.class,
        () ->
            new FineTuning("w", "", true, false, List.of(1, 0), List.of(), List.of(), Tuning.NONE));
    assertThrows(
        IllegalArgumentException.class,
        () -> new FineTuning("w", "", false, true, List.of(), List.of(), List.of(), Tuning.NONE),
        "a kept classifier is not fitted");
  }

  private void withoutMetadata() {
    try (var _ = Scope.open()) {
      var net = NET.on(new ImageShape(1, 8, 8), 10).build(Init.zeros());
      Weights.read(weights, net);
      Weights.write(weights, net, Map.of());
    }
  }

  @Test
  void imagesAreNormalisedAsTheWeightsSay() {
    Normalization own = ModelCard.of(weights).normalization();
    Run run = run("run", 1, 1, Tuning.NONE);
    RunTraining.train(run, PARITY);
    assertEquals(own, run.normalization());
    assertNotEquals(own, Normalization.perChannel(PARITY.train()));
    withoutMetadata();
    Run other = run("other", 1, 1, Tuning.NONE);
    RunTraining.train(other, PARITY);
    assertEquals(Normalization.perChannel(PARITY.train()), other.normalization());
  }

  @Test
  void weightsOfAnotherNetAreRefusedWithAllThatDiffers() {
    var deeper =
        assertThrows(
            BadFileException.class,
            () ->
                FineTuning.of(
                    weights, CifarNet.named("resnet14").withWidth(4), PARITY, Tuning.NONE));
    assertTrue(
        deeper.getMessage().contains("missing (30): 'layer1.1.conv1.weight'"), deeper.getMessage());
    var wider =
        assertThrows(
            BadFileException.class,
            () -> FineTuning.of(weights, NET.withWidth(5), PARITY, Tuning.NONE));
    assertTrue(
        wider.getMessage().contains("'conv1.weight' is 4×1×3×3, not 5×1×3×3"), wider::getMessage);
    withMore();
    var shallower =
        assertThrows(
            BadFileException.class, () -> FineTuning.of(weights, NET, PARITY, Tuning.NONE));
    assertTrue(shallower.getMessage().contains("layer1.1.conv1.weight"), shallower::getMessage);
  }

  private void withMore() {
    try (var _ = Scope.open()) {
      var net =
          CifarNet.named("resnet14").withWidth(4).on(new ImageShape(1, 8, 8), 10).build(Init.he(1));
      Weights.write(weights, net, Map.of());
    }
  }

  @Test
  void aLayerThatIsNotThereIsRefusedWithItsNeighbour() {
    var e =
        assertThrows(
            IllegalArgumentException.class, () -> from(new Tuning("layer2.0.conv3", 0, 1)));
    assertTrue(e.getMessage().contains("did you mean \"layer2.0.conv1\""), e::getMessage);
  }

  @Test
  void aFileThatHasChangedIsRefused() throws IOException {
    Run run = run("run", 1, 1, Tuning.NONE);
    withoutMetadata();
    var e = assertThrows(BadFileException.class, () -> RunTraining.train(run, PARITY));
    assertTrue(e.getMessage().contains(run.recipe().fineTuning().fingerprint()), e::getMessage);
    assertFalse(Files.exists(run.checkpoint()));
  }

  @Test
  void onlyTrainedWeightsAreTuned() {
    assertThrows(
        IllegalArgumentException.class,
        () ->
            new FineTuning(
                "", "", false, false, List.of(), List.of(), List.of(), new Tuning("layer2", 0, 1)));
    assertThrows(IllegalArgumentException.class, () -> new Tuning("", -1, 1));
    for (double decay : new double[] {0, 1.1, Double.NaN}) {
      assertThrows(IllegalArgumentException.class, () -> new Tuning("", 0, decay));
    }
  }

  /// Every net for images ends with its classifier, which has a row for each class.
  @Test
  void theLastLayerOfEveryNetIsItsClassifier() {
    var heads = new ArrayList<String>();
    for (String model : List.of("resnet8", "plain8", "resnet18", "resnet50", "mlp", "ln-lstm")) {
      try (var _ = Scope.open()) {
        var net =
            Architecture.images(model, Architecture.Options.NONE)
                .on(new ImageShape(1, 8, 8), 7)
                .build(Init.zeros());
        String head = Tuning.head(net);
        heads.add(head);
        assertEquals(7, net.state().get(head + ".weight").value().shape().size(0), model);
      }
    }
    assertEquals(List.of("linear", "linear", "fc", "fc", "linear", "head"), heads);
  }

  private static List<String> names(Path file) {
    try (var stored = TensorFile.open(file)) {
      return List.copyOf(stored.names());
    }
  }
}
