package fathom.blackjack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The dealer's chances and expectations against published values and against what can be worked by
/// hand.
class ExpectationTest {
  private static final Rules NO_SPLITS = Rules.of(1).upTo(1);

  /// Wizard of Odds, blackjack appendix 2B (dealer probabilities before the peek), one deck, the
  /// dealer stands on soft 17: six digits, of which the last may be rounded.
  @ParameterizedTest
  @CsvSource({
    "1, .126128, .131003, .129486, .131553, .0515646, .116540, .313726",
    "2, .138976, .131762, .131815, .123948, .120526, .352973, 0",
    "3, .130313, .130946, .123761, .123345, .116047, .375588, 0",
    "4, .130973, .114163, .120679, .116286, .115096, .402803, 0",
    "5, .119687, .123483, .116909, .104694, .106321, .428905, 0",
    "6, .166948, .106454, .107192, .100705, .0978785, .420823, 0",
    "7, .372345, .138583, .0773344, .0788967, .072987, .259854, 0",
    "8, .130857, .362989, .129445, .0682898, .0697914, .238627, 0"
  })
  void theDealersChancesAreThosePublished(
      int up, double p17, double p18, double p19, double p20, double p21, double bust, double bj) {
    double[] published = {p17, p18, p19, p20, p21, bust, bj};
    assertArrays(published, Dealer.outcomes(Shoe.of(1).without(up), up, false), 1e-6);
  }

  /// The same source after the peek, which divides by the chance of no blackjack: 10 and 9.
  @Test
  void theDealersChancesAfterThePeek() {
    double[] nine = {.121886, .103921, .357391, .12225, .061109, .233442, 0};
    assertArrays(nine, Dealer.outcomes(Shoe.of(1).without(9), 9, false), 1e-6);
    double[] ten = Dealer.outcomes(Shoe.of(1).without(10), 10, false);
    assertEquals(4 / 51.0, ten[Dealer.BLACKJACK], 1e-15);
    double[] published = {.124156, .122486, .124421, .356869, .03957, .232499};
    for (int i = 0; i < published.length; i++) {
      assertEquals(published[i], ten[i] / (1 - 4 / 51.0), 1e-6);
    }
  }

  /// blackjackinfo.com, dealer outcome probabilities, one deck, dealer hits soft 17, per cent.
  @Test
  void aDealerWhoHitsSoft17() {
    double[] six = Dealer.outcomes(Shoe.of(1).without(6), 6, true);
    double[] published = {.1161, .1138, .1161, .1096, .1067, .4378, 0};
    assertArrays(published, six, 6e-5);
  }

  private static void assertArrays(double[] expected, double[] actual, double delta) {
    assertEquals(1, Arrays.stream(actual).sum(), 1e-12);
    for (int i = 0; i < expected.length; i++) {
      assertEquals(
          expected[i], actual[i], delta, "outcome " + i + " of " + Arrays.toString(actual));
    }
  }

  /// Wizard of Odds, blackjack appendix 9, one deck, dealer stands on soft 17, after the peek: what
  /// it is worth to stand, to hit and to double with two cards, to six digits.
  @ParameterizedTest
  @CsvSource({
    "1, 2, -.661732, -.067808, -.593281",
    "1, 3, -.661047, -.100568, -.595803",
    "2, 3, -.659375, -.291565, -1.318751",
    "3, 4, -.657967, -.345048, -1.126423",
    "4, 5, -.654533, -.070215, -.395771",
    "1, 6, -.482815, -.199899, -.527213",
    "4, 6, -.636118, .081506, .048615",
    "5, 6, -.634013, .172946, .240259",
    "1, 7, -.101015, -.108386, -.357778"
  })
  void movesAgainstAnAceAreWorthWhatIsPublished(
      int first, int second, double stand, double hit, double twice) {
    Map<Move, Double> moves =
        Expectation.ofBestPlay(Rules.of(1)).moves(Shoe.of(1), first, second, 1);
    assertEquals(stand, moves.get(Move.STAND), 1e-6);
    assertEquals(hit, moves.get(Move.HIT), 1e-6);
    assertEquals(twice, moves.get(Move.DOUBLE), 1e-6);
  }

  /// The same source, "expected return of game": best play by the hand's cards, resplits up to four
  /// hands, for which its chances of further splits are other approximations than ours. Hence 4e-5.
  @ParameterizedTest
  @CsvSource({
    "1, false, true, .001839",
    "1, false, false, .000423",
    "1, true, true, -.000072",
    "1, true, false, -.001513",
    "2, true, true, -.003797",
    "2, true, false, -.005252"
  })
  void bestPlayIsWorthWhatIsPublished(int decks, boolean hits, boolean das, double published) {
    Rules rules = new Rules(decks, 0, hits, das, 4, false, 1.5);
    assertEquals(published, Expectation.ofBestPlay(rules).of(Shoe.of(decks)), 4e-5);
  }

  /// For one deck and basic strategy (Griffin, The Theory of Blackjack; from memory, so that a
  /// tenth is allowed): 2 to 9, ten, ace, in per cent.
  @Test
  void theEffectOfRemovalFromOneDeck() {
    double[] griffin = {-.61, .38, .44, .55, .69, .46, .28, 0, -.18, -.51};
    Rules rules = Rules.of(1).noDoubleAfterSplit().upTo(2);
    var exact = Expectation.of(rules, BasicStrategy.of(rules));
    double whole = exact.of(Shoe.of(1));
    double balance = 0;
    for (int rank = 1; rank <= Shoe.RANKS; rank++) {
      double effect = 100 * (exact.of(Shoe.of(1).without(rank)) - whole);
      assertEquals(griffin[rank - 1], effect, 0.1, "rank " + rank);
      balance += effect * Shoe.of(1).count(rank);
    }
    // A deck less a card that nobody has seen is as good as a deck.
    assertEquals(0, balance, 1e-9);
  }

  /// With only tens left both have 20; with eights, 16 against 16 is a split that never ends well.
  @Test
  void shoesOfOneRankAreWorkedByHand() {
    Rules rules = NO_SPLITS;
    var best = Expectation.ofBestPlay(rules);
    assertEquals(0, best.of(Shoe.ofCounts(0, 0, 0, 0, 0, 0, 0, 0, 0, 40)), 1e-15);
    // 8-8 stands on 16, and the dealer draws a third eight to it: 24.
    Map<Move, Double> moves = best.moves(Shoe.ofCounts(0, 0, 0, 0, 0, 0, 0, 40, 0, 0), 8, 8, 8);
    assertEquals(1, moves.get(Move.STAND), 1e-15);
    assertEquals(-1, moves.get(Move.HIT), 1e-15);
    assertEquals(-2, moves.get(Move.DOUBLE), 1e-15);
    assertFalse(moves.containsKey(Move.SPLIT));
    assertEquals(1, best.of(Shoe.ofCounts(0, 0, 0, 0, 0, 0, 0, 40, 0, 0)), 1e-15);
    // Split up to four times, every hand wins one.
    Map<Move, Double> split =
        Expectation.ofBestPlay(Rules.of(1))
            .moves(Shoe.ofCounts(0, 0, 0, 0, 0, 0, 0, 40, 0, 0), 8, 8, 8);
    assertEquals(4, split.get(Move.SPLIT), 1e-15);
  }

  /// Two aces and tens: blackjacks, counted by hand. Of 20 cards with 2 aces the player has one
  /// with 2·2·18/(20·19) and both have one with that times 17/(18·17)·2... which the sum checks.
  @Test
  void blackjacksPayWhatTheRulesSay() {
    Shoe shoe = Shoe.ofCounts(2, 0, 0, 0, 0, 0, 0, 0, 0, 18);
    double player = 2.0 * 2 * 18 / (20 * 19);
    double both = player * (2.0 * 17 / (18 * 17));
    double three = Expectation.ofBestPlay(NO_SPLITS).of(shoe);
    double six = Expectation.ofBestPlay(NO_SPLITS.paying(1.2)).of(shoe);
    assertEquals(0.3 * (player - both), three - six, 1e-12);
  }

  /// Late surrender is worth something, and never much (Wizard of Odds: 0.07 to 0.09 % in a shoe).
  @Test
  void surrenderIsWorthLittle() {
    Rules rules = Rules.of(6).upTo(2);
    double without = Expectation.ofBestPlay(rules).of(Shoe.of(6));
    double with = Expectation.ofBestPlay(rules.withLateSurrender()).of(Shoe.of(6));
    assertEquals(0.0008, with - without, 0.0002);
  }

  @Test
  void theQuickExpectationFollowsTheExactOneOverTheCompositionsOfADeck() {
    Rules rules = Rules.of(1);
    Strategy basic = BasicStrategy.of(rules);
    var exact = Expectation.of(rules, basic);
    var quick = new QuickExpectation(rules, basic);
    var random = new SplittableRandom(3);
    int n = 20;
    double[] e = new double[n];
    double[] q = new double[n];
    for (int i = 0; i < n; i++) {
      Shoe shoe = Shoe.of(1).without(dealt(random, 4 + random.nextInt(35)));
      e[i] = exact.of(shoe);
      q[i] = quick.of(shoe);
    }
    double offset = mean(e) - mean(q);
    double missed = 0;
    double total = 0;
    for (int i = 0; i < n; i++) {
      missed += Math.pow(e[i] - q[i] - offset, 2);
      total += Math.pow(e[i] - mean(e), 2);
    }
    assertTrue(Math.abs(offset) < 0.004, "offset " + offset);
    assertTrue(missed / total < 0.05, "share of variance missed " + missed / total);
  }

  /// The more cards, the less putting back changes.
  @Test
  void withEightDecksTheQuickExpectationIsNearlyExact() {
    Rules rules = Rules.of(8).upTo(2).withLateSurrender();
    Strategy basic = BasicStrategy.of(Rules.of(8));
    double exact = Expectation.of(rules, basic).of(Shoe.of(8));
    assertEquals(exact, new QuickExpectation(rules, basic).of(Shoe.of(8)), 3e-4);
  }

  private static double mean(double[] of) {
    return Arrays.stream(of).average().orElseThrow();
  }

  static int[] dealt(SplittableRandom random, int cards) {
    int[] deck = new int[52];
    for (int i = 0; i < 52; i++) {
      deck[i] = Math.min(10, i % 13 + 1);
    }
    int[] seen = new int[Shoe.RANKS];
    for (int i = 0; i < cards; i++) {
      int j = i + random.nextInt(52 - i);
      int card = deck[j];
      deck[j] = deck[i];
      deck[i] = card;
      seen[card - 1]++;
    }
    return seen;
  }

  @Test
  void whatCannotBeIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> Shoe.of(0));
    assertThrows(IllegalArgumentException.class, () -> Shoe.ofCounts(1, 2, 3));
    assertThrows(
        IllegalArgumentException.class, () -> Shoe.ofCounts(-1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
    Shoe tens = Shoe.ofCounts(0, 0, 0, 0, 0, 0, 0, 0, 0, 12);
    assertThrows(IllegalArgumentException.class, () -> tens.without(1));
    var best = Expectation.ofBestPlay(NO_SPLITS);
    assertThrows(IllegalArgumentException.class, () -> best.of(tens.without(10)));
    assertThrows(IllegalArgumentException.class, () -> best.moves(tens, 10, 10, 10));
    assertThrows(IllegalArgumentException.class, () -> best.moves(Shoe.of(1), 10, 10, 11));
    assertThrows(
        IllegalArgumentException.class, () -> new Rules(9, 0, false, false, 1, false, 1.5));
    assertThrows(IllegalArgumentException.class, () -> Rules.of(1).dealt(1));
    assertThrows(IllegalArgumentException.class, () -> Rules.of(1).upTo(5));
    assertThrows(IllegalArgumentException.class, () -> Rules.of(1).paying(Double.NaN));
    assertThrows(IllegalArgumentException.class, () -> HiLo.trueCount(Shoe.of(1).counts(), 1));
  }

  @Test
  void theCountOfAHandWorkedByHand() {
    int[] seen = {1, 2, 0, 0, 3, 1, 5, 0, 0, 2}; // 6 low cards, 3 high ones, 5 sevens
    assertEquals(3, HiLo.running(seen));
    assertEquals(3 * 52 / (52.0 - 14), HiLo.trueCount(seen, 1), 1e-12);
    assertEquals(0, HiLo.running(Shoe.of(1).counts()), "a whole deck is balanced");
  }
}
