package fathom.lab.reading;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.DType;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.loss.CrossEntropy;
import fathom.nn.Init;
import fathom.recurrent.GateNorm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The readers of questions compute what they say, with derivatives, on texts of different lengths.
class AttentiveReadingTest {
  private static final double EXACT = 1e-12;
  private static final RandomKey DRAW = RandomKey.of(8, "stories");

  /// Two short stories and a longer one of more entities.
  private static final List<Cloze> QUESTIONS =
      Stream.of(
              new Stories(DRAW, 3, 1).at(0),
              new Stories(DRAW, 4, 1).at(1),
              new Stories(DRAW, 3, 1).at(2))
          .toList();

  private static final ClozeTokens TOKENS = ClozeTokens.of(QUESTIONS, 20);

  private static ClozeBatch batch(List<Cloze> questions) {
    return ClozeBatch.of(questions, TOKENS, RandomKey.of(3, "markers"));
  }

  private static AttentiveReader reader(GateNorm norm) {
    return Slopes.doubles(AttentiveReader.of(Init.he(2), norm, 1, TOKENS, 3, 4));
  }

  private static void assertGradients(ClozeReader net) {
    ClozeBatch batch = batch(QUESTIONS);
    var read = net.forward(batch);
    var loss = CrossEntropy.of(read.scores(), batch.answers());
    read.pullback().accept(loss.back(Tensor.scalar(DType.FLOAT64, 1)));
    Slopes.check(
        net, () -> CrossEntropy.of(net.forward(batch).scores(), batch.answers()).value().item());
  }

  @ParameterizedTest
  @EnumSource(GateNorm.class)
  void gradientsOfTheAttentiveReaderAreDerivatives(GateNorm norm) {
    try (var _ = Scope.open()) {
      assertGradients(reader(norm));
    }
  }

  @Test
  void gradientsOfTheBagOfWordsAreDerivatives() {
    try (var _ = Scope.open()) {
      assertGradients(Slopes.doubles(BagOfWords.of(Init.he(2), TOKENS, 5)));
    }
  }

  /// A text is read alike alone and beside a longer one, so padding is not looked at.
  @Test
  void aQuestionDoesNotDependOnItsNeighbours() {
    try (var _ = Scope.open()) {
      AttentiveReader net = reader(GateNorm.LAYER);
      double[] all = net.forward(batch(QUESTIONS)).scores().toDoubles();
      double[] first = net.forward(batch(QUESTIONS.subList(0, 1))).scores().toDoubles();
      assertArrayEquals(first, Arrays.copyOf(all, first.length), EXACT);
    }
  }

  @Test
  void whatTheTextDoesNotNameHasNoProbability() {
    try (var _ = Scope.open()) {
      ClozeBatch batch = batch(QUESTIONS);
      double[] p = reader(GateNorm.NONE).forward(batch).scores().logSoftmax(1).exp().toDoubles();
      int none = 0;
      for (int i = 0; i < p.length; i++) {
        boolean absent = batch.absent()[i] != 0;
        none += absent ? 1 : 0;
        assertTrue(absent ? p[i] == 0 : p[i] > 0, "marker " + i);
      }
      assertEquals(2, none, "one of four in either of the stories of three");
    }
  }

  /// With look's weights at 0 the reader looks everywhere alike, and r is the mean of the states.
  @Test
  void attentionThatPrefersNothingSeesTheMean() {
    try (var _ = Scope.open()) {
      AttentiveReader net = reader(GateNorm.NONE);
      net.look().weight().value().zero_();
      ClozeBatch batch = batch(QUESTIONS.subList(0, 1));
      var x = batch.documents().in(net.embedding());
      var q = batch.questions().in(net.embedding());
      Tensor y = net.document().predict(x, net.document().start(DType.FLOAT64, 1)).value();
      Tensor u =
          net.question()
              .predict(q, net.question().start(DType.FLOAT64, 1))
              .end()
              .tensors()
              .getFirst();
      Tensor r = y.mean(0).reshape(1, 4);
      Tensor g = net.joinText().predict(r).plus(net.joinQuestion().predict(u)).tanh();
      double[] expected = batch.present(net.answer().predict(g)).toDoubles();
      assertArrayEquals(expected, net.forward(batch).scores().toDoubles(), EXACT);
    }
  }

  @Test
  void gainsOfBothReadersBeginWhereTheyAreToldTo() {
    try (var _ = Scope.open()) {
      AttentiveReader.of(Init.he(1), GateNorm.LAYER, 0.1, TOKENS, 3, 4)
          .state()
          .forEach((path, param) -> {
            if (path.contains("gain")) {
              Arrays.stream(param.value().toDoubles()).forEach(g -> assertEquals(0.1, g, 1e-7));
            }
          });
    }
  }

  /// The words of the text from the last to the first: the same to who counts, not to who reads.
  @Test
  void onlyTheReaderKnowsOfTheOrderOfWords() {
    try (var _ = Scope.open()) {
      ClozeBatch batch = batch(QUESTIONS.subList(0, 1));
      int[] words = batch.documents().flat();
      int[] turned = new int[words.length];
      Arrays.setAll(turned, i -> words[words.length - 1 - i]);
      var other =
          new ClozeBatch(
              Tokens.of(new int[][] {turned}), batch.questions(), batch.answers(), batch.absent());
      var bag = Slopes.doubles(BagOfWords.of(Init.he(2), TOKENS, 5));
      assertEquals(0, apart(bag, batch, other), EXACT);
      assertTrue(apart(reader(GateNorm.NONE), batch, other) > 1e-3);
      var less =
          new ClozeBatch(
              Tokens.of(new int[][] {Arrays.copyOf(turned, turned.length - 4)}),
              batch.questions(),
              batch.answers(),
              batch.absent());
      assertTrue(apart(bag, batch, less) > 1e-3, "a sentence less is another count");
    }
  }

  /// Stories in files of the published form, and of an entity more than the first ones have.
  @Test
  void theExperimentRunsOnStoriesAndOnAUsersOwnFiles(@TempDir Path folder) throws IOException {
    for (String part : List.of("training", "validation")) {
      Path files = Files.createDirectories(folder.resolve(part));
      for (int i = 0; i < 4; i++) {
        Cloze story = new Stories(DRAW, 3 + i % 2, 1).at(i);
        Files.writeString(
            files.resolve(i + ".question"),
            "somewhere\n\n%s\n\n%s\n\n%s\n\n@entity0:A\n"
                .formatted(
                    String.join(" ", story.document()),
                    String.join(" ", story.question()),
                    story.answer()));
      }
    }
    var note = new Notebook(1, () -> false);
    new AttentiveReading(Optional.of(folder)).observe(Size.TINY, 1, note);
    for (String task : List.of("4 sentences", "8 sentences", "CNN")) {
      double error = note.value(task + ", LN-LSTM, validation error at the end, %");
      assertTrue(error >= 0 && error <= 100, task);
    }
    Files.delete(folder.resolve("training").resolve("1.question"));
    Files.delete(folder.resolve("training").resolve("3.question"));
    assertEquals(
        2, Questions.published("CNN", folder, 9, 1).valid().size(), "those of three entities");
    assertEquals(Optional.empty(), new AttentiveReading(Optional.empty()).missing());
  }

  private static double apart(ClozeReader net, ClozeBatch one, ClozeBatch other) {
    double[] a = net.forward(one).scores().toDoubles();
    double[] b = net.forward(other).scores().toDoubles();
    double most = 0;
    for (int i = 0; i < a.length; i++) {
      most = Math.max(most, a[i] == b[i] ? 0 : Math.abs(a[i] - b[i]));
    }
    return most;
  }
}
