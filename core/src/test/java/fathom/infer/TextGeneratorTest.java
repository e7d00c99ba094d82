package fathom.infer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.Scope;
import fathom.Tensor;
import fathom.data.Text;
import fathom.data.Vocabulary;
import fathom.io.BadFileException;
import fathom.io.SafeTensors;
import fathom.io.StoredTensor;
import fathom.net.Architecture;
import fathom.net.LanguageModel;
import fathom.nn.Init;
import fathom.run.Progress;
import fathom.run.Recipe;
import fathom.run.Run;
import fathom.run.RunTraining;
import fathom.train.Weights;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TextGeneratorTest {
  private static final Text TEXT = text("the cat sat on the mat; ".repeat(17).substring(0, 400));

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

  private Run trained(String name, String model, long seed) {
    var options = new Architecture.Options(null, null, null, 12, 2);
    Recipe recipe =
        Recipe.usual(Architecture.text(model, options), TEXT, seed, 1)
            .withEpochs(1)
            .withBatch(5)
            .withWindow(12);
    Run run = Run.create(folder.resolve(name), recipe, TEXT);
    RunTraining.train(run, TEXT, Progress.NONE, () -> false);
    return run;
  }

  /// Of a checkpoint, an export and a run of a version whose checkpoints said nothing.
  @ParameterizedTest
  @ValueSource(strings = {"ln-gru", "transformer"})
  void everyWayToOpenItWritesTheSameText(String model) throws IOException {
    long before = Tensor.live();
    Run run = trained("run", model, 5);
    Path exported = folder.resolve("exported.safetensors");
    try (var _ = Scope.open()) {
      LanguageModel net = run.textNet(Init.zeros());
      Weights.read(run.checkpoint(), net);
      Weights.write(exported, net, run.card(null).metadata());
    }
    try (var ofRun = run.generator();
        var ofFolder = TextGenerator.open(run.folder());
        var ofFile = TextGenerator.open(exported)) {
      String expected = ofRun.generate("the ", 40, 1, 3);
      assertEquals(40, expected.length());
      assertNotEquals(expected, ofRun.generate("the ", 40, 1, 4));
      assertEquals(expected, ofFolder.generate("the ", 40, 1, 3));
      assertEquals(expected, ofFile.generate("the ", 40, 1, 3));
      assertEquals(TEXT.vocabulary().characters(), ofFile.vocabulary().characters());
      withoutMetadata(run.checkpoint(), Map.of());
      assertThrows(BadFileException.class, () -> TextGenerator.open(run.folder()));
      try (var ofOld = Run.open(run.folder()).generator()) {
        assertEquals(expected, ofOld.generate("the ", 40, 1, 3));
      }
    }
    assertEquals(before, Tensor.live());
  }

  private static void withoutMetadata(Path file, Map<String, String> but) throws IOException {
    Path copy = file.resolveSibling("copy");
    try (var stored = SafeTensors.open(file);
        Arena arena = Arena.ofConfined()) {
      var tensors = new LinkedHashMap<String, StoredTensor>();
      stored.names().forEach(name -> tensors.put(name, stored.widened(name, arena)));
      SafeTensors.write(copy, tensors, but);
    }
    Files.move(copy, file, StandardCopyOption.REPLACE_EXISTING);
  }

  /// How far back a transformer sees is in none of its tensors.
  @Test
  void aTransformerHasAWindow() throws IOException {
    Run run = trained("run", "transformer", 5);
    Map<String, String> said = run.card(null).metadata();
    assertEquals("12", said.get("fathom.window"));
    var without = new LinkedHashMap<>(said);
    without.remove("fathom.window");
    withoutMetadata(run.checkpoint(), without);
    var e = assertThrows(BadFileException.class, () -> TextGenerator.open(run.checkpoint()));
    assertTrue(e.getMessage().contains("window"), e.getMessage());
    without.put("fathom.window", "many");
    withoutMetadata(run.checkpoint(), without);
    e = assertThrows(BadFileException.class, () -> TextGenerator.open(run.checkpoint()));
    assertTrue(e.getMessage().contains("fathom.window"), e.getMessage());
  }

  @Test
  void manyThreadsWriteWhatOneWritesUntilItIsClosed() throws Exception {
    Run run = trained("run", "lstm", 5);
    long before = Tensor.live();
    TextGenerator generator = run.generator();
    long open = Tensor.live();
    var expected = new ArrayList<String>();
    for (int seed = 0; seed < 8; seed++) {
      expected.add(generator.generate("the cat", 60, 1, seed));
    }
    assertEquals(open, Tensor.live(), "a call leaves something");
    try (var threads = Executors.newFixedThreadPool(8)) {
      var calls = new ArrayList<Future<String>>();
      for (int seed = 0; seed < 8; seed++) {
        long own = seed;
        calls.add(threads.submit(() -> generator.generate("the cat", 60, 1, own)));
      }
      for (int seed = 0; seed < 8; seed++) {
        assertEquals(expected.get(seed), calls.get(seed).get());
      }
    }
    generator.close();
    generator.close();
    assertEquals(before, Tensor.live());
    var e = assertThrows(IllegalStateException.class, () -> generator.generate("the cat", 1, 1, 1));
    assertEquals(
        "a text generator answers until it is closed, and this one was closed; open another",
        e.getMessage());
  }

  @Test
  void theBestEpochIsAskedForByName() throws IOException {
    Run run = trained("run", "gru", 5);
    Run other = trained("other", "gru", 6);
    Files.copy(other.checkpoint(), run.best(), StandardCopyOption.REPLACE_EXISTING);
    try (var last = run.generator();
        var best = run.bestGenerator();
        var opened = TextGenerator.openBest(run.folder());
        var others = other.generator()) {
      String expected = others.generate("the ", 40, 1, 3);
      assertEquals(expected, best.generate("the ", 40, 1, 3));
      assertEquals(expected, opened.generate("the ", 40, 1, 3));
      assertNotEquals(expected, last.generate("the ", 40, 1, 3));
    }
    Files.delete(run.best());
    assertThrows(BadFileException.class, run::bestGenerator);
    var e = assertThrows(BadFileException.class, () -> ImageClassifier.open(run.folder()));
    assertTrue(e.getMessage().contains("was trained on text"), e.getMessage());
  }

  /// Of ¼, ¼ and ½; squared and brought to a sum of 1 they are 1/6, 1/6 and 4/6.
  @ParameterizedTest
  @CsvSource({
    "1,0.24,0",
    "1,0.26,1",
    "1,0.49,1",
    "1,0.51,2",
    "1,0.999,2",
    "0,0.1,2",
    "0.5,0.16,0",
    "0.5,0.17,1",
    "0.5,0.34,2"
  })
  void aCharacterIsDrawnByItsProbability(double temperature, double uniform, int expected) {
    double[] logits = {Math.log(1) - 5, Math.log(1) - 5, Math.log(2) - 5};
    assertEquals(expected, TextGenerator.choose(logits, temperature, uniform));
  }
}
