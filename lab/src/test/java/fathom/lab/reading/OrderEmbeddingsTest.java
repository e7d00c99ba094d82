package fathom.lab.reading;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.FlatParams;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.io.BadFileException;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.nn.Init;
import fathom.optim.Adam;
import fathom.recurrent.GateNorm;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The order, its pairs, its penalty and the encoder are what they say, on cases worked by hand.
class OrderEmbeddingsTest {
  private static final double EXACT = 1e-12;

  @TempDir private Path folder;

  private static Synset synset(long offset, Long... hypernyms) {
    return new Synset(offset, List.of("s" + offset), List.of(hypernyms), "gloss " + offset);
  }

  /// 10 is above 20 and 30, which are both above 40; 50 is alone.
  private static final List<Synset> DIAMOND =
      List.of(synset(40, 20L, 30L), synset(20, 10L), synset(10), synset(30, 10L), synset(50));

  @Test
  void theClosureOfADiamondByHand() {
    Hypernymy order = Hypernymy.of(DIAMOND);
    assertArrayEquals(new int[] {1, 2, 3}, order.ancestors(0));
    assertArrayEquals(new int[] {2}, order.ancestors(1));
    assertArrayEquals(new int[0], order.ancestors(2));
    assertArrayEquals(new int[0], order.ancestors(4));
    assertTrue(order.holds(0, 2) && !order.holds(2, 0) && !order.holds(0, 0) && !order.holds(1, 3));
    assertEquals(
        List.of(true, false, false, false, true),
        IntStream.range(0, 5).mapToObj(order::isLeaf).toList());
  }

  @Test
  void aCircleAndAnAbsentHypernymAreRefused() {
    var circle = List.of(synset(1, 2L), synset(2, 3L), synset(3, 2L));
    String says =
        String.valueOf(
            assertThrows(IllegalArgumentException.class, () -> Hypernymy.of(circle)).getMessage());
    assertTrue(says.contains("no circle, but s1 (00000001)"), says);
    assertThrows(IllegalArgumentException.class, () -> Hypernymy.of(List.of(synset(1, 9L))));
  }

  @Test
  void theOrderIsTransitiveAndHasNoTwoWays() {
    Hypernymy order = Hypernymy.of(Miniature.synsets());
    int pairs = 0;
    for (int i = 0; i < order.size(); i++) {
      for (int j : order.ancestors(i)) {
        pairs++;
        assertFalse(order.holds(j, i));
        for (int k : order.ancestors(j)) {
          assertTrue(order.holds(i, k));
        }
      }
    }
    // 2 of one above, 4 of two, 9 of three, 20 of four.
    assertEquals(2 * 1 + 4 * 2 + 9 * 3 + 20 * 4, pairs);
  }

  /// Points (1, 2), (0, 3), (2, 2): E of the second as a kind of the first is (1 − 0)² = 1, the
  /// other way round (3 − 2)² = 1, of the third as a kind of the first 0, the other way round 1.
  @Test
  void thePenaltyAndItsLossByHand() {
    try (var _ = Scope.open()) {
      Tensor points = Tensor.of(new double[] {1, 2, 0, 3, 2, 2}, 3, 2);
      Tensor x = Tensor.of(new double[] {0, 3, 1, 2, 2, 2, 1, 2}, 4, 2);
      Tensor y = Tensor.of(new double[] {1, 2, 0, 3, 1, 2, 2, 2}, 4, 2);
      assertArrayEquals(new double[] {1, 1, 0, 1}, OrderPenalty.of(x, y).toDoubles(), EXACT);
      // True: (0 is a kind of 1) 1 and (2 of 0) 0. Corrupted, α = 1.5: (0 of 2) 1.5 − 1.
      var pairs = new Pairs(new int[3], new int[] {0, 2, 0}, new int[] {1, 0, 2}, 2);
      var loss = OrderPenalty.loss(points, pairs, 1.5);
      assertEquals(0.5 + 0.5, loss.value().item(), EXACT);
      // d/d0: ½·(−2)·(0, 1) of the first, −(−2)·(1, 0) of the third; d/d1: ½·2·(0, 1).
      assertArrayEquals(
          new double[] {2, -1, 0, 1, -2, 0},
          loss.back(Tensor.scalar(points.type(), 1)).toDoubles(),
          EXACT);
      assertEquals(0.5, OrderPenalty.loss(points, pairs, 0.9).value().item(), EXACT, "beyond α");
    }
  }

  @ParameterizedTest
  @EnumSource(GateNorm.class)
  void gradientsOfTheLossAreDerivatives(GateNorm norm) {
    HypernymCorpus corpus = HypernymCorpus.of(Miniature.synsets(), 8, 40, 20);
    Pairs pairs = corpus.batch(5, RandomKey.of(3, "pairs"));
    int[][] phrases = corpus.phrases().of(pairs.synsets());
    try (var _ = Scope.open()) {
      var net =
          Slopes.doubles(PhraseEncoder.of(Init.he(2), norm, corpus.phrases().vocabulary(), 3, 4));
      var read = net.forward(phrases);
      assertTrue(Arrays.stream(read.points().toDoubles()).allMatch(p -> p >= 0));
      assertArrayEquals(read.points().toDoubles(), net.predict(phrases).toDoubles(), EXACT);
      var loss = OrderPenalty.loss(read.points(), pairs, 1);
      read.pullback().accept(loss.back(Tensor.scalar(read.points().type(), 1)));
      Slopes.check(
          net, () -> OrderPenalty.loss(net.forward(phrases).points(), pairs, 1).value().item());
    }
  }

  /// A phrase is read alike alone and beside longer ones.
  @Test
  void aPhraseDoesNotDependOnItsNeighbours() {
    try (var _ = Scope.open()) {
      var net = Slopes.doubles(PhraseEncoder.of(Init.he(2), GateNorm.LAYER, 9, 3, 4));
      double[] both = net.predict(new int[][] {{1, 2}, {3, 4, 5, 6}}).toDoubles();
      double[] alone = net.predict(new int[][] {{1, 2}}).toDoubles();
      assertArrayEquals(alone, Arrays.copyOf(both, 4), EXACT);
      double[] turned = net.predict(new int[][] {{2, 1}}).toDoubles();
      assertTrue(Math.abs(turned[0] - alone[0]) > 1e-3, "the order of words counts");
      assertThrows(
          IllegalArgumentException.class, () -> net.predict(new int[][] {{1}, new int[0]}));
    }
  }

  @Test
  void aPhraseIsTheNameAndTheDefinition() {
    var synset =
        new Synset(1, List.of("Sea_dog", "x"), List.of(), "an old (retired) sailor; \"a dog\"");
    assertEquals(
        List.of("sea", "dog", ":", "an", "old", "retired", "sailor"), Phrases.words(synset, 16));
    assertEquals(List.of("sea", "dog", ":"), Phrases.words(synset, 3));
  }

  /// In what trains ":" and "b" stand twice, "a", "c" and "s" once, and three words fit.
  @Test
  void theVocabularyIsOfTheMostFrequentWordsOfTraining() {
    var first = new Synset(1, List.of("s"), List.of(), "b a");
    var second = new Synset(2, List.of("b"), List.of(), "c");
    var held = new Synset(3, List.of("z"), List.of(), "z z z z a");
    Phrases phrases = Phrases.of(List.of(first, second, held), 9, 4, i -> i < 2);
    assertEquals(4, phrases.vocabulary());
    assertArrayEquals(new int[] {0, 1, 2, 3}, phrases.tokens()[0]);
    assertArrayEquals(new int[] {0, 1, 0, 0, 0, 0, 3}, phrases.tokens()[2]);
    int[][] shuffled = phrases.shuffled(RandomKey.of(1, "words")).tokens();
    for (int i = 0; i < 3; i++) {
      assertArrayEquals(
          Arrays.stream(phrases.tokens()[i]).sorted().toArray(),
          Arrays.stream(shuffled[i]).sorted().toArray());
    }
    assertFalse(Arrays.deepEquals(phrases.tokens(), shuffled));
  }

  @Test
  void pairsAreInOrderAndCorruptedOnesAreNot() {
    HypernymCorpus corpus = HypernymCorpus.of(Miniature.synsets(), 8, 40, 20);
    Hypernymy order = corpus.order();
    for (Pairs pairs :
        List.of(corpus.batch(16, RandomKey.of(1, "pairs")), corpus.valid(), corpus.test())) {
      assertTrue(pairs.specific().length > pairs.held(), "some are corrupted");
      for (int i = 0; i < pairs.specific().length; i++) {
        int x = pairs.synsets()[pairs.specific()[i]];
        int y = pairs.synsets()[pairs.general()[i]];
        assertEquals(i < pairs.held(), order.holds(x, y), "pair " + i);
        assertNotEquals(x, y);
      }
    }
  }

  @Test
  void whatIsHeldOutStandsInNoPairOfTraining() {
    HypernymCorpus corpus = HypernymCorpus.of(Miniature.synsets(), 8, 40, 20);
    var train = new TreeSet<Integer>();
    for (int i : corpus.train()) {
      train.add(i);
      Arrays.stream(corpus.order().ancestors(i)).forEach(train::add);
    }
    var valid = new TreeSet<Integer>();
    var test = new TreeSet<Integer>();
    Arrays.stream(corpus.valid().synsets()).limit(corpus.valid().held()).forEach(valid::add);
    Arrays.stream(corpus.test().synsets()).limit(corpus.test().held()).forEach(test::add);
    assertEquals(2, valid.size());
    assertEquals(2, test.size());
    for (int held : valid) {
      assertFalse(train.contains(held) || test.contains(held));
    }
    test.forEach(held -> assertFalse(train.contains(held)));
  }

  /// Penalties of true pairs 0.1, 0.4, 0.6 and of corrupted ones 0.5, 0.6, 0.9: up to 0.4 two and
  /// three are right; up to 0.6 as many, and the smaller threshold counts.
  @Test
  void theThresholdByHand() {
    var pairs = new Pairs(new int[0], new int[6], new int[6], 3);
    double[] penalties = {0.4, 0.1, 0.6, 0.5, 0.6, 0.9};
    assertEquals(0.4, pairs.threshold(penalties), 0);
    assertEquals(500.0 / 6, pairs.accuracy(penalties, 0.4), EXACT);
    assertEquals(400.0 / 6, pairs.accuracy(penalties, 0.6), EXACT);
    double[] wrongWay = {1, 1, 1, 0, 0, 0};
    assertEquals(50, pairs.accuracy(wrongWay, pairs.threshold(wrongWay)), EXACT);
  }

  @Test
  void theFirstStepOfAValueAndOneMoreWhereThereIsNone() {
    var curve = new ValidationCurve(10);
    assertEquals(
        List.of(true, true, false, true),
        DoubleStream.of(50, 60, 55, 61).mapToObj(curve::add).toList());
    assertEquals(61, curve.best(), 0);
    assertEquals(61, curve.last(), 0);
    assertEquals(60, curve.half(), 0);
    assertEquals(20, curve.firstAtLeast(55), 0);
    assertEquals(50, curve.firstAtLeast(62), 0);
  }

  /// The encoder learns the pairs of the miniature by heart.
  @Test
  void trueAndCorruptedPairsOfTrainingAreLearned() {
    HypernymCorpus corpus = HypernymCorpus.of(Miniature.synsets(), 8, 100, 20);
    Pairs pairs = corpus.batch(16, RandomKey.of(1, "pairs"));
    int[][] phrases = corpus.phrases().of(pairs.synsets());
    try (var _ = Scope.open()) {
      var net = PhraseEncoder.of(Init.he(1), GateNorm.LAYER, corpus.phrases().vocabulary(), 8, 16);
      var adam = new Adam(FlatParams.of(net.params()));
      double first = Double.NaN;
      double last = Double.NaN;
      for (int step = 0; step < 60; step++) {
        try (var _ = Scope.open()) {
          var read = net.forward(phrases);
          var loss = OrderPenalty.loss(read.points(), pairs, 1);
          last = loss.value().item();
          first = step == 0 ? last : first;
          read.pullback().accept(loss.back(Tensor.scalar(read.points().type(), 1)));
          adam.step(0.02);
        }
      }
      assertTrue(last < 0.2 && last < first / 3, first + " to " + last);
    }
  }

  @Test
  void theExperimentRunsOnAUsersOwnFileAndNamesItWhereItIsTooSmall() {
    var note = new Notebook(1, () -> false);
    new OrderEmbeddings(() -> Optional.of(Miniature.file())).observe(Size.TINY, 1, note);
    assertTrue(note.value("GRU, held-out accuracy, %") >= 0);
    assertEquals(25, note.value("steps of the GRU to its best validation accuracy"), 0);
    var missing = new OrderEmbeddings(Optional::empty).missing();
    assertTrue(missing.orElse("").contains("FATHOM_DATA"), missing.toString());
    // The first synset is made a kind of the last: a circle.
    Path circle =
        Miniature.copiedTo(folder, "0 002 ~ 00000150", "0 003 @ 00001850 n 0000 ~ 00000150");
    var experiment = new OrderEmbeddings(() -> Optional.of(circle));
    var refused =
        assertThrows(BadFileException.class, () -> experiment.observe(Size.TINY, 1, note));
    assertTrue(String.valueOf(refused.getMessage()).contains("circle"), refused.getMessage());
  }
}
