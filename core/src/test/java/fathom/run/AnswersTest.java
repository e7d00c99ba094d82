package fathom.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.Scope;
import fathom.Tensor;
import fathom.data.DataSet;
import fathom.data.Images;
import fathom.data.Png;
import fathom.data.Rows;
import fathom.io.BadFileException;
import fathom.net.Architecture;
import fathom.net.Norm;
import fathom.net.Shortcut;
import fathom.task.Answers;
import fathom.task.AnswersFile;
import fathom.task.Confusion;
import fathom.task.Predictions;
import fathom.train.Recording;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AnswersTest {
  private static final DataSet DIGITS = DataSet.open("digits");
  private static final DataSet FEW =
      new DataSet("digits", DIGITS.classes(), DIGITS.train().take(100), DIGITS.test().take(70));

  @TempDir private Path folder;

  // ---- By hand

  private static final Images FIVE = new Images(1, 1, 1, new byte[5], new int[] {0, 0, 1, 2, 0});

  /// Rows of ln p: the class of the third is right, the others go wrong by more and less.
  private static Predictions five() {
    var predictions = new Predictions(FIVE, 3);
    double[][] probabilities = {
      {0.4, 0.5, 0.1}, {0.05, 0.05, 0.9}, {0.1, 0.8, 0.1}, {0.7, 0.1, 0.2}, {0.2, 0.6, 0.2}
    };
    try (var _ = Scope.open()) {
      for (int from : new int[] {3, 0}) { // as two workers see them, the second first
        int to = from == 0 ? 3 : 5;
        var logits = new double[(to - from) * 3];
        for (int i = 0; i < logits.length; i++) {
          logits[i] = Math.log(probabilities[from + i / 3][i % 3]) + 7; // a constant says nothing
        }
        predictions.at(new Rows(from, to), Tensor.of(logits, to - from, 3));
      }
    }
    return predictions;
  }

  @Test
  void countsAndPairsAreThoseCountedByHand() {
    Confusion confusion = five().confusion();
    assertArrayEquals(new long[][] {{0, 2, 1}, {0, 1, 0}, {1, 0, 0}}, confusion.table());
    assertEquals(4, confusion.counts().size(), "what did not happen takes no place");
    assertEquals(confusion.counts(), Confusion.ofTable(confusion.table()).counts());
    assertEquals(3, confusion.count(0));
    assertEquals(3, confusion.errors(0));
    assertEquals(0, confusion.errors(1));
    assertEquals(
        List.of(
            new Confusion.Pair(0, 1, 2), new Confusion.Pair(0, 2, 1), new Confusion.Pair(2, 0, 1)),
        confusion.pairs());
    assertEquals(List.of(), confusion.pairs(1));
  }

  @Test
  void theWorstMistakeGaveItsClassTheLeast() {
    List<Answers.Mistake> worst = five().worst(3);
    assertEquals(List.of(1, 3, 4), worst.stream().map(Answers.Mistake::image).toList());
    Answers.Mistake first = worst.getFirst();
    assertEquals(0, first.truth());
    assertEquals(2, first.prediction());
    assertEquals(0.05, first.given(), 1e-12);
    assertEquals(0.9, first.belief(), 1e-12);
    assertEquals(4, five().worst(9).size(), "what was right is no mistake");
  }

  @Test
  void countsThatAreNoneAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> Confusion.ofTable(new long[][] {{1, 2}}));
    assertThrows(
        IllegalArgumentException.class, () -> Confusion.ofTable(new long[][] {{1, -2}, {0, 0}}));
  }

  // ---- Of a run

  private Run run(String name, int workers, int validation) {
    var recipe =
        new Recipe(
            "resnet8",
            new Architecture.Options(Shortcut.A, Norm.BATCH, 4, null, null),
            "digits",
            Sampling.of(1, 20),
            Optimization.sgd(0.05, List.of()),
            new Preprocessing(0, false, false),
            3,
            Execution.on(workers),
            Recording.NONE,
            FineTuning.NONE);
    return Run.create(folder.resolve(name), recipe.withValidation(validation), FEW);
  }

  private static RunTraining.Result train(Run run) {
    return RunTraining.train(run, FEW, Progress.NONE, () -> false);
  }

  /// However many workers there are, and whether the test images were seen before the end.
  @ParameterizedTest
  @CsvSource({"1, 0", "3, 0", "2, 30"})
  void aRunKeepsWhatItMeasured(int workers, int validation) {
    Run run = run("run", workers, validation);
    RunTraining.Result result = train(run);
    Answers answers = run.answers().orElseThrow();
    Confusion confusion = answers.confusion();
    assertEquals(run.metrics().getLast().step(), answers.step());
    long errors = 0;
    var labels = new long[10];
    for (int label : FEW.test().labels()) {
      labels[label]++;
    }
    for (int c = 0; c < 10; c++) {
      assertEquals(labels[c], confusion.count(c));
      errors += confusion.errors(c);
    }
    assertEquals(result.tested().errors(), errors);
    assertEquals(Math.min(errors, Answers.WORST), answers.worst().size());
    double before = 0;
    for (Answers.Mistake mistake : answers.worst()) {
      assertEquals(FEW.test().labels()[mistake.image()], mistake.truth());
      assertArrayEquals(Png.of(FEW.test().images(), mistake.image()), mistake.png());
      assertTrue(mistake.given() >= before && mistake.belief() >= mistake.given());
      before = mistake.given();
    }
  }

  /// What a longer training is going to measure again is not shown meanwhile; a run that was
  /// finished measures the same again.
  @Test
  void answersAreThoseOfTheEnd() throws IOException {
    Run run = run("run", 1, 0);
    assertTrue(run.answers().isEmpty());
    train(run);
    Path file = run.folder().resolve("answers.json");
    String first = Files.readString(file);
    train(run);
    assertEquals(first, Files.readString(file));
    Run longer = run.withRecipe(run.recipe().withEpochs(2));
    RunTraining.train(longer, FEW, Progress.NONE, () -> true);
    assertTrue(longer.answers().isEmpty(), "it was stopped before its end");
    train(longer);
    assertEquals(10, longer.answers().orElseThrow().step());
  }

  /// Of a folder of images each mistake names its file; an answer of an older version has none. The
  /// classes have nothing to do with the images, so that there are mistakes.
  @Test
  void aMistakeNamesItsFile() throws IOException {
    Path data = folder.resolve("data");
    Images digits = DIGITS.train().images();
    for (int i = 0; i < 60; i++) {
      Path of = Files.createDirectories(data.resolve("class " + i % 2));
      Files.write(of.resolve("image %s.png".formatted(i)), Png.of(digits, i));
    }
    DataSet images = DataSet.open("images:" + data);
    Run run =
        Run.create(folder.resolve("of files"), run("recipe", 1, 0).recipe().withBatch(10), images);
    RunTraining.train(run, images, Progress.NONE, () -> false);
    List<Answers.Mistake> worst = run.answers().orElseThrow().worst();
    assertFalse(worst.isEmpty(), "no mistake shows nothing");
    for (Answers.Mistake mistake : worst) {
      Path file = Path.of(mistake.file());
      assertTrue(file.isAbsolute() && Files.exists(file), mistake.file());
      assertTrue(
          Objects.requireNonNull(file.getParent()).endsWith("class " + mistake.truth()),
          mistake.file());
      assertArrayEquals(Png.of(images.test().images(), mistake.image()), mistake.png());
    }
    Path answers = run.folder().resolve("answers.json");
    String written = Files.readString(answers);
    String older = written.replaceAll(",\"file\":\"[^\"]*\"", "");
    assertNotEquals(written, older);
    Files.writeString(answers, older);
    List<Answers.Mistake> read = run.answers().orElseThrow().worst();
    assertEquals(worst.size(), read.size());
    assertEquals("", read.getFirst().file());
  }

  @Test
  void damagedAnswersAreRefused() throws IOException {
    Run run = run("run", 1, 0);
    train(run);
    Path file = run.folder().resolve("answers.json");
    String good = Files.readString(file);
    var bad = new ArrayList<>(List.of("", "{}", good.substring(0, good.length() / 2)));
    bad.add(good.replace("\"counts\":[[", "\"counts\":[[1],["));
    bad.add(good.replace("\"confusions\":[[0", "\"confusions\":[[0,0,1],[0"));
    bad.add(good.replace("\"confusions\":[", "\"confusions\":[[0,1],"));
    bad.add(good.replace("\"confusions\":[", "\"confusions\":[[0,1,2,3],"));
    bad.add(good.replace("\"confusions\":[", "\"confusions\":[[10,1,2],"));
    bad.add(good.replaceFirst("\"confusions\":\\[.*?]],", ""));
    bad.add(good.replace("\"classes\":10", "\"classes\":2147483647"));
    bad.add(good.replaceFirst("\"worst\":\\[.*]", "\"worst\":null"));
    bad.add(good.replaceFirst("\"worst\":\\[.*]", "\"worst\":[null]"));
    bad.add(good + "{}");
    bad.add(good.replace("\"given\":", "\"given\":1"));
    bad.add(good.replace("\"guess\":", "\"guess\":1"));
    bad.add(good.replace("\"png\":\"iV", "\"png\":\"AA"));
    for (String text : bad) {
      Files.writeString(file, text);
      var e = assertThrows(BadFileException.class, run::answers, text);
      assertTrue(String.valueOf(e.getMessage()).contains("delete the file"), e.getMessage());
    }
  }

  /// Files and memory grow with what happened: thousands of classes are a few lines where a table
  /// of them is 36 million numbers, in the file and in a heap that has no place for it.
  @Test
  void manyClassesTakeNoMoreThanWhatHappened() throws IOException {
    int classes = 6000;
    var labels = new int[classes];
    var predictions = new int[classes];
    for (int i = 0; i < classes; i++) {
      labels[i] = i;
      predictions[i] = i % 3 == 0 ? i : (i * 7 + 5) % classes;
    }
    Confusion confusion = Confusion.of(labels, predictions, classes);
    assertEquals(classes, confusion.counts().size());
    assertEquals(2000, confusion.counts().size() - confusion.pairs().size());
    var answers = new Answers(3, confusion, List.of());
    var bytes = new ByteArrayOutputStream();
    AnswersFile.write(answers, bytes);
    assertTrue(bytes.size() < 20 * classes, "bytes: " + bytes.size());
    String json = bytes.toString(StandardCharsets.UTF_8);
    assertFalse(json.contains("\"counts\""), "no table");
    Answers read = AnswersFile.read(json, classes);
    assertEquals(confusion.counts(), read.confusion().counts());
    assertEquals(3, read.step());
  }

  /// With few classes the table that earlier versions wrote is there too.
  @Test
  void theTableIsThereUpToItsBound() {
    for (int classes : new int[] {1, Confusion.MOST_IN_A_TABLE, Confusion.MOST_IN_A_TABLE + 1}) {
      var confusion = new Confusion(classes, List.of(new Confusion.Pair(0, classes - 1, 4)));
      var bytes = new ByteArrayOutputStream();
      AnswersFile.write(new Answers(1, confusion, List.of()), bytes);
      String json = bytes.toString(StandardCharsets.UTF_8);
      assertEquals(classes <= Confusion.MOST_IN_A_TABLE, json.contains("\"counts\":[["), json);
      assertEquals(
          confusion.counts(), AnswersFile.read(json, classes).confusion().counts(), "is read");
    }
  }

  /// What earlier versions wrote: a table alone, of however many classes.
  @Test
  void answersOfEarlierVersionsAreRead() throws IOException {
    String older = "{\"step\":7,\"counts\":[[3,0],[1,2]],\"worst\":[]}";
    assertEquals(
        List.of(
            new Confusion.Pair(0, 0, 3), new Confusion.Pair(1, 0, 1), new Confusion.Pair(1, 1, 2)),
        AnswersFile.read(older, 2).confusion().counts());
    for (String bad :
        List.of(
            older.replace("[1,2]", "[1,2,0]"),
            older.replace("[1,2]", "[1]"),
            older.replace("[1,2]", "[1,-2]"),
            older.replace(",[1,2]", ""),
            older.replace("[3,0]", "3"),
            older.replace("\"step\":7,", ""))) {
      assertThrows(IllegalArgumentException.class, () -> AnswersFile.read(bad, 2), bad);
    }
    int classes = 600;
    String many =
        "{\"step\":7,\"worst\":[],\"counts\":[%s]}"
            .formatted(String.join(",", Collections.nCopies(classes, row(classes))));
    assertEquals(classes, AnswersFile.read(many, classes).confusion().counts().size());
  }

  private static String row(int classes) {
    return "[1" + ",0".repeat(classes - 1) + "]";
  }
}
