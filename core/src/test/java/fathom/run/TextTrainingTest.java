package fathom.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.DType;
import fathom.Scope;
import fathom.Tensor;
import fathom.data.Text;
import fathom.data.Vocabulary;
import fathom.infer.TextGenerator;
import fathom.io.BadFileException;
import fathom.net.Architecture;
import fathom.nn.Init;
import fathom.parallel.Collective;
import fathom.parallel.Workers;
import fathom.task.Evaluation;
import fathom.train.DivergedException;
import fathom.train.Metrics;
import fathom.train.Weights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TextTrainingTest {
  /// 360 characters to train with as 5 streams of 71, in windows of 12: six steps an epoch.
  private static final Text TEXT = text("the cat sat on the mat; ".repeat(17).substring(0, 400));

  private static final int EPOCH = 6;

  @TempDir Path folder;

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

  private static Recipe recipe(String model, int epochs, int workers) {
    var options = new Architecture.Options(null, null, null, 12, 2);
    return Recipe.usual(Architecture.text(model, options), TEXT, 5, workers)
        .withEpochs(epochs)
        .withBatch(5)
        .withWindow(12);
  }

  private Run run(String name, Recipe recipe) {
    return Run.create(folder.resolve(name), recipe, TEXT);
  }

  private static RunTraining.Result train(Run run) {
    return RunTraining.train(run, TEXT, Progress.NONE, () -> false);
  }

  // ---- It learns

  @ParameterizedTest
  @ValueSource(strings = {"lstm", "ln-lstm", "gru", "rnn", "transformer"})
  void everyNetLearnsALineThatIsRepeated(String model) {
    Run run = run(model, recipe(model, 25, 1).optimized(o -> o.withRate(0.01)));
    var result = train(run);
    double chance = Math.log(TEXT.vocabulary().size()) / Math.log(2);
    assertTrue(
        result.tested().bitsPerCharacter() < 0.75 * chance,
        "%s bits, by chance %s".formatted(result.tested().bitsPerCharacter(), chance));
    assertTrue(result.trained().error() < 60);
    var epochs = run.metrics().stream().filter(Metrics.Epoch.class::isInstance).toList();
    assertEquals(25, epochs.size());
    assertEquals(39, result.tested().count(), "all that is held out but the first character");
    assertTrue(result.examplesPerSecond() > 0);
  }

  // ---- It goes on as if it had not been stopped

  @ParameterizedTest
  @CsvSource({"lstm, 1, 4", "lstm, 2, 5", "gru, 3, 1", "transformer, 2, 4", "lstm, 7, 5"})
  void aRunThatIsStoppedGoesOnBitByBit(String model, int workers, int every) {
    Run whole = run("whole", recipe(model, 2, workers));
    train(whole);
    Run stopped = run("stopped", recipe(model, 2, workers));
    RunTraining.Result result;
    int pieces = 0;
    do {
      var steps = new AtomicLong();
      result =
          RunTraining.train(
              Run.open(stopped.folder()),
              TEXT,
              Progress.NONE,
              () -> steps.incrementAndGet() == every);
      pieces++;
    } while (!result.finished());
    assertEquals(2 * EPOCH / every + 1, pieces);
    assertEquals(Bits.of(whole), Bits.of(stopped));
    assertTrue(
        Bits.of(whole).keySet().stream().anyMatch(name -> name.startsWith("optimizer.square.")));
  }

  /// One tensor of 5 streams by 12 units for each of two levels, gathered from the workers.
  @Test
  void theCarriedStateOfAllStreamsIsStored() {
    Run run = run("run", recipe("gru", 1, 2));
    var steps = new AtomicLong();
    RunTraining.train(run, TEXT, Progress.NONE, () -> steps.incrementAndGet() == 2);
    var stored = Bits.of(run);
    assertEquals(5 * 12 * 8, Objects.requireNonNull(stored.get("carried.0")).length());
    assertTrue(stored.containsKey("carried.1"));
    assertNotEquals(0, Objects.requireNonNull(stored.get("carried.0")).replace("0", "").length());
  }

  @Test
  void theNumberOfWorkersChangesRoundingOnly() {
    double[] losses = new double[3];
    for (int workers = 1; workers <= 3; workers++) {
      Run run = run("w" + workers, recipe("ln-lstm", 2, workers));
      losses[workers - 1] = train(run).tested().crossEntropy();
    }
    assertEquals(losses[0], losses[1], 1e-3);
    assertEquals(losses[0], losses[2], 1e-3);
  }

  // ---- Clipping

  /// One step of plain descent at learning rate 1 moves the weights by the norm of the gradient.
  @Test
  void aStepIsNoLongerThanTheClippedGradient() {
    Recipe one = recipe("lstm", 1, 2);
    Recipe plain =
        one.with(new Sampling(1, 5, 71, 0)) // one step
            .with(
                new Optimization(
                    new Optimization.Update(Optimization.Method.SGD, 0, 0),
                    Optimization.Rate.inSteps(1, List.of()),
                    1e-3,
                    0));
    Run run = run("run", plain);
    train(run);
    try (var _ = Scope.open()) {
      var start = run.textNet(Init.he(plain.seed()));
      var end = run.textNet(Init.zeros());
      Weights.read(run.checkpoint(), end);
      double sum = 0;
      for (String path : start.state().keySet()) {
        Tensor before = Objects.requireNonNull(start.state().get(path)).value();
        Tensor after = Objects.requireNonNull(end.state().get(path)).value();
        sum += after.minus(before).to(DType.FLOAT64).square().sum().item();
      }
      assertEquals(1e-3, Math.sqrt(sum), 1e-5);
    }
  }

  // ---- What it measures

  /// A net of zeros expects every character alike: log2 K bits, and the first one is its
  /// prediction.
  @Test
  void aNetThatKnowsNothingNeedsAllBits() {
    Run run = run("run", recipe("lstm", 1, 1));
    try (var _ = Scope.open()) {
      var net = run.textNet(Init.zeros());
      net.params().forEach(param -> param.value().zero_());
      Evaluation e = Evaluation.of(net, TEXT.train(), Collective.ALONE);
      int k = TEXT.vocabulary().size();
      assertEquals(Math.log(k) / Math.log(2), e.bitsPerCharacter(), 1e-6);
      assertEquals(k, e.perplexity(), 1e-4);
      assertEquals(3 * (359 / 3), e.count());
      int[] t = TEXT.train();
      int others = 0;
      for (int i = 1; i <= e.count(); i++) {
        others += t[i] == 0 ? 0 : 1;
      }
      assertEquals(others, e.errors());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"gru", "transformer"})
  void anEvaluationDoesNotDependOnTheNumberOfWorkers(String model) {
    Run run = run("run", recipe(model, 1, 1));
    double[] alone = new double[1];
    for (int workers = 1; workers <= 4; workers++) {
      Workers.run(
          workers,
          all -> {
            try (var _ = Scope.open()) {
              Evaluation e = Evaluation.of(run.textNet(Init.he(1)), TEXT.train(), all);
              alone[0] = all.size() == 1 ? e.crossEntropy() : alone[0];
              assertEquals(alone[0], e.crossEntropy(), 1e-6);
            }
          });
    }
  }

  // ---- It writes

  @ParameterizedTest
  @ValueSource(strings = {"lstm", "transformer"})
  void theSameSeedWritesTheSameText(String model) {
    Run run = run("run", recipe(model, 1, 1));
    train(run);
    try (TextGenerator generator = run.generator()) {
      String text = generator.generate("the ", 40, 1, 3);
      assertEquals(40, text.length());
      assertEquals(text, generator.generate("the ", 40, 1, 3));
      assertEquals(text.substring(0, 25), generator.generate("the ", 25, 1, 3));
      assertNotEquals(text, generator.generate("the ", 40, 1, 4));
      assertEquals(generator.generate("the ", 40, 0, 3), generator.generate("the ", 40, 0, 4));
      assertEquals(5, generator.generate("", 5, 1, 1).length());
      assertEquals("", generator.generate("the", 0, 1, 1));
      assertThrows(IllegalArgumentException.class, () -> generator.generate("The", 4, 1, 1));
      assertThrows(IllegalArgumentException.class, () -> generator.generate("", -1, 1, 1));
      assertThrows(IllegalArgumentException.class, () -> generator.generate("", 1, -1, 1));
      assertThrows(IllegalArgumentException.class, () -> generator.generate("", 1, Double.NaN, 1));
    }
  }

  // ---- What is refused

  @Test
  void aTextThatIsTooShortForAStepIsRefused() {
    Recipe recipe = recipe("lstm", 1, 1).withBatch(20).withWindow(18);
    var e = assertThrows(IllegalArgumentException.class, () -> recipe.check(TEXT));
    String message = String.valueOf(e.getMessage());
    assertTrue(message.contains("380") && message.contains("360"), message);
    recipe.withWindow(17).check(TEXT);
  }

  @Test
  void aRunAboutTextIsReadAsItWasWritten() throws IOException {
    Run run = run("run", recipe("ln-gru", 1, 1));
    Run again = Run.open(run.folder());
    assertEquals(run.info(), again.info());
    assertEquals(TEXT.vocabulary(), again.vocabulary());
    Path file = run.folder().resolve("run.json");
    String json = Files.readString(file);
    for (String[] damage :
        new String[][] {
          {"\"hidden\" : 12", "\"hidden\" : null"},
          {"\"hidden\" : 12", "\"hidden\" : 0"},
          {"\"hidden\" : 12", "\"width\" : 12"},
          {"\"ln-gru\"", "\"mlp\""},
          {"\"window\" : 12", "\"window\" : 0"},
          {"\"ADAM\"", "\"LION\""},
          {"\"ADAM\"", "null"},
          {"\"clip\" : 1.0", "\"clip\" : -1.0"},
          {"\"input\" : [ ]", "\"input\" : [ 1, 2, 3 ]"},
          {"\" \"", "\"t\""}, // twice the same character
        }) {
      String damaged = json.replace(damage[0], damage[1]);
      assertNotEquals(json, damaged, damage[0]);
      Files.writeString(file, damaged);
      var e = assertThrows(BadFileException.class, () -> Run.open(run.folder()), damage[1]);
      assertTrue(String.valueOf(e.getMessage()).startsWith(file.toString()), e.getMessage());
    }
  }

  /// Sums of huge numbers of both signs end in an infinity, which tanh takes, or in none, as the
  /// processor has many lanes or few: so of the RNN it is either of two layers.
  @ParameterizedTest
  @CsvSource({
    "rnn, 1, (embedding|body.0)",
    "rnn, 2, (embedding|body.0)",
    "ln-lstm, 2, body.0",
    "transformer, 1, body.blocks.0.attention"
  })
  void aTextRunThatDivergesNamesTheLayer(String model, int workers, String layer) {
    Run run =
        run(
            "run",
            recipe(model, 3, workers)
                .optimized(o -> o.by(Optimization.Method.SGD))
                .optimized(o -> o.withRate(1e30)));
    var e =
        assertThrows(
            DivergedException.class,
            () -> train(run.withRecipe(run.recipe().optimized(o -> o.withClip(0)))));
    assertTrue(
        String.valueOf(e.getMessage())
            .matches(
                "step \\d+ diverged: the (activation|gradient).* layer "
                    + layer
                    + " \\(.*\\) is.*"),
        e.getMessage());
  }
}
