package fathom.lab.cards;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.blackjack.BasicStrategy;
import fathom.blackjack.Expectation;
import fathom.blackjack.Move;
import fathom.blackjack.Shoe;
import fathom.blackjack.Simulator;
import fathom.blackjack.Strategy;
import fathom.lab.cards.Choices.Experience;
import fathom.lab.cards.Choices.Player;
import java.util.Arrays;
import java.util.HashSet;
import org.junit.jupiter.api.Test;

/// The agent that plays its hands, where its moves are known.
class ChoicesTest {
  private static final Strategy BASIC = BasicStrategy.of(CardsPlay.RULES);

  @Test
  void everySituationHasANumberAndInputsOfItsOwn() {
    var seen = new HashSet<String>();
    int at = 0;
    for (int count = 0; count < Choices.COUNTS; count++) {
      for (int total = 4; total <= 21; total++) {
        for (int soft = 0; soft < 2; soft++) {
          for (int up = 1; up <= Shoe.RANKS; up++) {
            for (int two = 0; two < 2; two++) {
              assertEquals(at, Choices.at(count, total, soft == 1, up, two == 1));
              assertEquals(two == 1, Choices.mayDouble(at));
              float[] x = new float[Choices.INPUTS];
              Choices.write(at++, x, 0);
              assertEquals(1, x[total - 4]);
              assertEquals(1, x[18 + up - 1]);
              assertEquals((count - 6) / 6f, x[Choices.INPUTS - 1]);
              assertTrue(seen.add(Arrays.toString(x)));
            }
          }
        }
      }
    }
    assertEquals(Choices.COUNTS * Choices.PER_COUNT, at);
  }

  /// A true count of 52/51 is 1, and of five low cards that are gone 5·52/47, which is more than 5.
  @Test
  void countsAreRoundedAndHaveEnds() {
    assertEquals(6, Choices.count(new int[Shoe.RANKS], 1));
    assertEquals(7, Choices.count(new int[] {0, 1, 0, 0, 0, 0, 0, 0, 0, 0}, 1));
    assertEquals(12, Choices.count(new int[] {0, 1, 1, 1, 1, 1, 0, 0, 0, 0}, 1));
    assertEquals(0, Choices.count(new int[] {0, 0, 0, 0, 0, 0, 0, 0, 0, 9}, 1));
  }

  @Test
  void theBestMoveIsAmongThoseAllowed() {
    double[] q = {0, 9, 0.1, 0.2, 0.3};
    assertEquals(2, Choices.best(q, 2, true));
    assertEquals(1, Choices.best(q, 2, false));
    assertEquals(0, Choices.best(new double[] {0, 0, 0}, 0, true));
  }

  /// Whose values are those of basic strategy plays it, at every count, and is worth as much.
  @Test
  void aTableOfBasicStrategyIsBasicStrategy() {
    double[] q = new double[3 * Choices.COUNTS * Choices.PER_COUNT];
    for (int count = 0; count < Choices.COUNTS; count++) {
      for (int total = 4; total <= 21; total++) {
        for (int rest = 0; rest < 40; rest++) {
          boolean soft = rest >= 20;
          int up = rest % 10 + 1;
          boolean two = rest / 10 % 2 == 1;
          Move move = BASIC.move(total, soft, 0, up, two, false);
          q[
                  3 * Choices.at(count, total, soft, up, two)
                      + Arrays.asList(Choices.MOVES).indexOf(move)] =
              1;
        }
      }
    }
    var player = new Player(CardsPlay.RULES, BASIC, q);
    assertEquals(
        Expectation.of(CardsPlay.RULES, BASIC).of(Shoe.of(1)),
        Expectation.of(CardsPlay.RULES, player).of(Shoe.of(1)));
    assertEquals(
        Simulator.of(CardsPlay.RULES, BASIC).play(1, 5000),
        Simulator.of(CardsPlay.RULES, player).play(1, 5000, player));
    assertEquals(1, player.agreement());
  }

  @Test
  void aPlayerHearsTheCountBeforeEveryRound() {
    double[] q = new double[3 * Choices.COUNTS * Choices.PER_COUNT];
    for (int at = 0; at < q.length / 3; at++) {
      q[3 * at + 1] = at < 6 * Choices.PER_COUNT ? 1 : -1; // hits below a count of 0
    }
    var player = new Player(CardsPlay.RULES, BASIC, q);
    int[] tens = {0, 0, 0, 0, 0, 0, 0, 0, 0, 4};
    assertEquals(Move.STAND, player.move(12, false, 0, 10, false, false));
    player.begins(tens);
    assertEquals(Move.HIT, player.move(12, false, 0, 10, false, false));
    player.begins(new int[Shoe.RANKS]);
    assertEquals(Move.STAND, player.move(12, false, 0, 10, false, false));
  }

  /// Only a hit is followed by another move, in a hand of more points or one that turned hard; what
  /// ends a round is a bust, a win, a loss or a push.
  @Test
  void experienceIsOfRounds() {
    Experience seen = Experience.of(CardsPlay.RULES, 1, 20_000);
    int[] made = new int[3];
    int busts = 0;
    for (int i = 0; i < seen.size(); i++) {
      int move = seen.move()[i];
      made[move]++;
      assertTrue(move < 2 || Choices.mayDouble(seen.situation()[i]));
      double money = seen.money()[i];
      if (seen.next()[i] >= 0) {
        assertEquals(1, move);
        assertEquals(0, money);
        assertTrue(!Choices.mayDouble(seen.next()[i]));
        if (i + 1 < seen.size()) {
          assertEquals(seen.situation()[i + 1], seen.next()[i]);
        }
      } else if (move == 1) {
        assertEquals(-1, money);
        busts++;
      } else {
        double stake = move == 2 ? 2 : 1;
        assertTrue(money == stake || money == -stake || money == 0);
      }
    }
    assertTrue(busts > 1000);
    assertEquals(1, made[0] / (double) made[1], 0.05);
  }

  /// Three moves: a win, a hit that goes on, a bust.
  @Test
  void whatAMoveShallBeWorth() {
    var seen =
        new Experience(
            new int[] {1, 3, 8},
            new byte[] {2, 1, 1},
            new int[] {-1, 8, -1},
            new float[] {2, 0, -1});
    double[] goals = CardsPlay.goals(seen, 0, 3, at -> at / 10.0);
    assertArrayEquals(new double[] {2, 0.8, -1}, goals);
  }
}
