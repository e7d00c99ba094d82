package fathom.blackjack;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Basic strategy against the published charts, and the simulator against the exact expectation.
class PlayTest {
  /// The chart for four to eight decks, dealer stands on soft 17, double after split, late
  /// surrender, as every source has it (Wizard of Odds, for one); A and R are for two cards.
  private static final String SHOE_GAME =
      """
                    2 3 4 5 6 7 8 9 T A
      hard 5        H H H H H H H H H H
      hard 6        H H H H H H H H H H
      hard 7        H H H H H H H H H H
      hard 8        H H H H H H H H H H
      hard 9        H D D D D H H H H H
      hard 10       D D D D D D D D H H
      hard 11       D D D D D D D D D H
      hard 12       H H S S S H H H H H
      hard 13       S S S S S H H H H H
      hard 14       S S S S S H H H H H
      hard 15       S S S S S H H H R H
      hard 16       S S S S S H H R R R
      hard 17       S S S S S S S S S S
      hard 18       S S S S S S S S S S
      hard 19       S S S S S S S S S S
      hard 20       S S S S S S S S S S
      soft 13       H H H D D H H H H H
      soft 14       H H H D D H H H H H
      soft 15       H H D D D H H H H H
      soft 16       H H D D D H H H H H
      soft 17       H D D D D H H H H H
      soft 18       S D D D D S S H H H
      soft 19       S S S S S S S S S S
      soft 20       S S S S S S S S S S
      pair of 2     P P P P P P H H H H
      pair of 3     P P P P P P H H H H
      pair of 4     H H H P P H H H H H
      pair of 5     D D D D D D D D H H
      pair of 6     P P P P P H H H H H
      pair of 7     P P P P P P H H H H
      pair of 8     P P P P P P P P P P
      pair of 9     P P P P P S P P S S
      pair of 10    S S S S S S S S S S
      pair of aces  P P P P P P P P P P
      """;

  @Test
  void basicStrategyIsTheChart() {
    assertEquals(SHOE_GAME, BasicStrategy.of(Rules.of(6).withLateSurrender()).toString());
  }

  /// Where the chart for a dealer who hits soft 17 differs (the same sources).
  @Test
  void basicStrategyAgainstADealerWhoHitsSoft17() {
    var lines = SHOE_GAME.lines().toList();
    var other =
        BasicStrategy.of(Rules.of(6).withLateSurrender().dealerHitsSoft17())
            .toString()
            .lines()
            .toList();
    var differ = new ArrayList<String>();
    for (int i = 0; i < lines.size(); i++) {
      if (!lines.get(i).equals(other.get(i))) {
        differ.add(other.get(i));
      }
    }
    assertEquals(
        List.of(
            "hard 11       D D D D D D D D D D",
            "hard 15       S S S S S H H H R R",
            "hard 17       S S S S S S S S S R",
            "soft 18       D D D D D S S H H H",
            "soft 19       S S S S D S S S S S",
            "pair of 8     P P P P P P P P P R"),
        differ);
  }

  static Stream<Rules> rules() {
    return Stream.of(
        Rules.of(1).upTo(1),
        Rules.of(1).upTo(2),
        Rules.of(6).withLateSurrender(),
        Rules.of(2).dealerHitsSoft17().noDoubleAfterSplit().paying(1.2));
  }

  /// Two ways to one number which share no code but the strategy: within four standard deviations.
  @ParameterizedTest
  @MethodSource("rules")
  void roundsFromAFreshShoeComeToTheExactExpectation(Rules rules) {
    Strategy basic = BasicStrategy.of(rules);
    Tally tally = Simulator.of(rules.dealt(0), basic).play(7, 2_000_000);
    double exact = Expectation.of(rules, basic).of(Shoe.of(rules.decks()));
    assertEquals(exact, tally.mean(), 4 * tally.standardError());
    assertEquals(1.15, tally.standardDeviation(), 0.05);
  }

  /// Of a shoe from which low cards are gone the player takes 4 %, of the contrary he loses as
  /// much.
  @Test
  void roundsFromAComposition() {
    Rules rules = Rules.of(1);
    Strategy basic = BasicStrategy.of(rules);
    for (int[] seen :
        new int[][] {{0, 2, 2, 2, 4, 2, 0, 0, 0, 0}, {3, 0, 0, 0, 0, 0, 0, 0, 0, 8}}) {
      Shoe shoe = Shoe.of(1).without(seen);
      double exact = Expectation.of(rules, basic).of(shoe);
      assertTrue(Math.abs(exact) > 0.03, "worth " + exact);
      Tally tally = Simulator.from(shoe, rules, basic).play(8, 1_000_000);
      assertEquals(exact, tally.mean(), 4 * tally.standardError());
    }
  }

  /// No more cards of a rank are seen than there are, none twice over, and no round begins behind
  /// the cut.
  @Test
  void cardsAreDealtWithoutReplacement() {
    Rules rules = Rules.of(1).dealt(0.9);
    int[] most = new int[Shoe.RANKS];
    int[] before = {0};
    Simulator.of(rules, BasicStrategy.of(rules))
        .play(
            9,
            300_000,
            (seen, _) -> {
              int n = Arrays.stream(seen).sum();
              assertTrue(n < 47, "a round began behind the cut, at " + n);
              assertTrue(n == 0 || n >= before[0] + 4, "a round has four cards at least");
              before[0] = n;
              for (int r = 0; r < Shoe.RANKS; r++) {
                most[r] = Math.max(most[r], seen[r]);
              }
            });
    assertArrayEquals(Shoe.of(1).counts(), most);
  }

  @Test
  void theSameSeedGivesTheSameRoundsAndAnotherOthers() {
    Rules rules = Rules.of(6);
    var simulator = Simulator.of(rules, BasicStrategy.of(rules));
    double[] first = money(simulator, 1);
    assertArrayEquals(first, money(simulator, 1));
    assertFalse(Arrays.equals(first, money(simulator, 2)));
    // The beginning does not depend on how many rounds follow.
    double[] few = new double[100];
    int[] at = {0};
    simulator.play(1, few.length, (_, money) -> few[at[0]++] = money);
    assertArrayEquals(Arrays.copyOf(first, few.length), few);
    assertNotEquals(simulator.play(1, 1000).mean(), simulator.play(2, 1000).mean());
  }

  private static double[] money(Simulator simulator, long seed) {
    double[] money = new double[1000];
    int[] at = {0};
    simulator.play(seed, money.length, (_, m) -> money[at[0]++] = m);
    return money;
  }

  /// With one rank every hand is known: what is paid, and how often.
  @Test
  void payoutsOfHandsWorkedByHand() {
    Rules rules = Rules.of(1);
    Strategy stand = (_, _, _, _, _, _) -> Move.STAND;
    Strategy split = (_, _, pair, _, _, _) -> pair > 0 ? Move.SPLIT : Move.STAND;
    Strategy twice = (_, _, _, _, may, _) -> may ? Move.DOUBLE : Move.STAND;
    Strategy hit = (_, _, _, _, _, _) -> Move.HIT;
    Strategy surrender = (_, _, _, _, _, may) -> may ? Move.SURRENDER : Move.STAND;
    Shoe eights = Shoe.ofCounts(0, 0, 0, 0, 0, 0, 0, 40, 0, 0);
    Shoe tens = Shoe.ofCounts(0, 0, 0, 0, 0, 0, 0, 0, 0, 40);
    Shoe sevens = Shoe.ofCounts(0, 0, 0, 0, 0, 0, 40, 0, 0, 0);
    assertEquals(1, one(eights, rules, stand), "16 against 24");
    assertEquals(4, one(eights, rules, split), "four hands of 16 against 24");
    assertEquals(2, one(eights, rules.upTo(2), split));
    assertEquals(-2, one(eights, rules, twice), "24 loses twice before the dealer's 24");
    assertEquals(-1, one(eights, rules, hit));
    assertEquals(-0.5, one(eights, rules.withLateSurrender(), surrender));
    assertEquals(1, one(eights, rules, surrender), "not by these rules");
    assertEquals(0, one(tens, rules, stand), "20 against 20");
    assertEquals(0, one(tens, rules, split));
    assertEquals(0, one(sevens, rules, twice), "21 against 21");
    assertEquals(-1, one(sevens, rules, stand), "14 against 21");
    // Aces: 12 against a dealer who draws to soft 17 or 18; two hands of one card more each.
    Shoe aces = Shoe.ofCounts(40, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    assertEquals(-1, one(aces, rules, stand));
    assertEquals(-2, one(aces, rules, split), "aces are split once");
  }

  private static double one(Shoe shoe, Rules rules, Strategy strategy) {
    Tally tally = Simulator.from(shoe, rules, strategy).play(1, 10);
    assertEquals(0, tally.standardDeviation(), 1e-12);
    return tally.mean();
  }

  @Test
  void whatIsNotAllowedAndARoundThatIsLongerThanTheShoeAreSaid() {
    Rules rules = Rules.of(1);
    Shoe twos = Shoe.ofCounts(0, 12, 0, 0, 0, 0, 0, 0, 0, 0);
    Strategy hit = (_, _, _, _, _, _) -> Move.HIT;
    var empty =
        assertThrows(
            IllegalStateException.class, () -> Simulator.from(twos, rules, hit).play(1, 1));
    assertTrue(String.valueOf(empty.getMessage()).contains("12"), empty.getMessage());
    for (Move move : new Move[] {Move.DOUBLE, Move.SPLIT, Move.SURRENDER}) {
      Strategy always = (_, _, _, _, may, _) -> may && move == Move.DOUBLE ? Move.HIT : move;
      Shoe deck = Shoe.of(1);
      var refused =
          assertThrows(
              IllegalStateException.class,
              () -> Simulator.from(deck, rules.noDoubleAfterSplit(), always).play(1, 1000));
      assertTrue(String.valueOf(refused.getMessage()).contains("not allowed"));
    }
  }
}
