package fathom.blackjack;

import java.util.Arrays;

/// The approximate expectation of a round for a composition of the shoe, about fifty times as fast
/// as [Expectation]. The two first cards and the open card are dealt without replacement, and all
/// cards after them as if each card were put back.
///
/// It ignores that the cards of a round change the probabilities of its later cards. Over the
/// compositions of a deck this changes all expectations by about the same amount (`ExpectationTest`
/// measures it), so it ranks shoes almost as the exact expectation does.
public final class QuickExpectation {
  /// The number of states of a dealer's hand that draws: totals to 16 with aces as 1, with or
  /// without an ace.
  private static final int DRAWING = 2 * 17;

  private final Rules rules;
  private final Strategy strategy;

  private final double[] chance = new double[Shoe.RANKS];

  private double noBlackjack;

  /// The value of a hand that stands, by its points from 0 to 21.
  private final double[] stand = new double[22];

  /// The value of a hand of three or more cards, by total and whether it has an ace; NaN where it
  /// is not computed yet.
  private final double[] hands = new double[2 * 22];

  /// The probabilities of the dealer's hands that draw, by total and whether there is an ace,
  /// followed by the probabilities of the outcomes as in [Dealer], where a blackjack counts as 21.
  private final double[] dealing = new double[DRAWING + Dealer.BUST + 1];

  private final byte[][] next;

  /// Creates the expectation of a player who plays by `strategy`, whatever the shoe. The object
  /// keeps intermediate results, so only one thread may use it at a time.
  public QuickExpectation(Rules rules, Strategy strategy) {
    this.rules = rules;
    this.strategy = strategy;
    this.next = next(rules.hitsSoft17());
  }

  /// Returns the expectation of a round dealt from `shoe`, in bets. It takes about 0.2
  /// milliseconds.
  ///
  /// @throws IllegalArgumentException if the shoe has fewer than 12 cards
  public double of(Shoe shoe) {
    Expectation.check(shoe);
    int[] left = shoe.counts();
    double cards = shoe.cards();
    double sum = 0;
    for (int up = 1; up <= Shoe.RANKS; up++) {
      for (int a = 1; a <= Shoe.RANKS; a++) {
        for (int b = a; b <= Shoe.RANKS; b++) {
          double ways = left[up - 1]--;
          ways *= left[a - 1]--;
          ways *= left[b - 1]--;
          if (ways > 0) {
            for (int r = 0; r < Shoe.RANKS; r++) {
              chance[r] = left[r] / (cards - 3);
            }
            sum += (a == b ? 1 : 2) * ways * round(a, b, up);
          }
          left[up - 1]++;
          left[a - 1]++;
          left[b - 1]++;
        }
      }
    }
    return sum / (cards * (cards - 1) * (cards - 2));
  }

  private double round(int a, int b, int up) {
    deal(up);
    if (Points.blackjack(a, b)) {
      return rules.blackjackPays() * noBlackjack;
    }
    double lost = 1 - noBlackjack;
    int total = a + b;
    boolean ace = a == 1 || b == 1;
    int pair = a == b && rules.handsOf(a) > 1 ? a : 0;
    Move move =
        strategy.move(
            Points.of(total, ace), Points.soft(total, ace), pair, up, true, rules.lateSurrender());
    return (move == Move.SPLIT ? split(a, up) : played(move, total, ace, up)) - lost;
  }

  private double played(Move move, int total, boolean ace, int up) {
    return switch (move) {
      case STAND -> stand[Points.of(total, ace)];
      case HIT -> hit(total, ace, up);
      case DOUBLE -> doubled(total, ace);
      case SURRENDER -> -0.5 * noBlackjack;
      case SPLIT -> throw new IllegalStateException("only a pair is split");
    };
  }

  private double hit(int total, boolean ace, int up) {
    double sum = 0;
    for (int rank = 1; rank <= Shoe.RANKS; rank++) {
      int next = total + rank;
      if (next > 21) {
        sum -= chance[rank - 1] * noBlackjack;
      } else {
        sum += chance[rank - 1] * further(next, ace || rank == 1, up);
      }
    }
    return sum;
  }

  private double further(int total, boolean ace, int up) {
    int at = 2 * total + (ace ? 1 : 0);
    if (Double.isNaN(hands[at])) {
      int points = Points.of(total, ace);
      hands[at] =
          strategy.move(points, Points.soft(total, ace), 0, up, false, false) == Move.STAND
              ? stand[points]
              : hit(total, ace, up);
    }
    return hands[at];
  }

  private double doubled(int total, boolean ace) {
    double sum = 0;
    for (int rank = 1; rank <= Shoe.RANKS; rank++) {
      int next = total + rank;
      double value = next > 21 ? -noBlackjack : stand[Points.of(next, ace || rank == 1)];
      sum += 2 * chance[rank - 1] * value;
    }
    return sum;
  }

  private double split(int rank, int up) {
    double others = 0;
    double equal = 0;
    for (int b = 1; b <= Shoe.RANKS; b++) {
      int total = rank + b;
      boolean ace = rank == 1 || b == 1;
      Move move =
          rank == 1
              ? Move.STAND // a split ace has one card
              : strategy.move(
                  Points.of(total, ace),
                  Points.soft(total, ace),
                  0,
                  up,
                  rules.doubleAfterSplit(),
                  false);
      double value = played(move, total, ace, up);
      if (b == rank) {
        equal = value;
      } else {
        others += chance[b - 1] * value;
      }
    }
    return waiting(2, 2, rules.handsOf(rank), chance[rank - 1], equal, others);
  }

  /// Returns the value of `waiting` hands of one card, of `made` hands in all. `others` is the part
  /// of the expectation that comes from cards of other ranks.
  private static double waiting(
      int waiting, int made, int most, double same, double equal, double others) {
    if (waiting == 0) {
      return 0;
    }
    double after = waiting(waiting - 1, made, most, same, equal, others);
    double again =
        made < most ? waiting(waiting + 1, made + 1, most, same, equal, others) : equal + after;
    return same * again + others + (1 - same) * after;
  }

  /// Computes the dealer's outcomes and the values of standing. The total of a hand with aces as 1
  /// grows with every card, so one pass upwards over the totals reaches every hand after those that
  /// lead to it.
  private void deal(int up) {
    Arrays.fill(dealing, 0);
    Arrays.fill(hands, Double.NaN);
    dealing[2 * up + (up == 1 ? 1 : 0)] = 1;
    for (int at = 2 * up; at < DRAWING; at++) {
      double here = dealing[at];
      if (here != 0) {
        byte[] to = next[at];
        for (int r = 0; r < Shoe.RANKS; r++) {
          dealing[to[r]] += here * chance[r];
        }
      }
    }
    double blackjack = up == 1 ? chance[9] : up == 10 ? chance[0] : 0; // counted as 21
    noBlackjack = 1 - blackjack;
    double below = dealing[DRAWING + Dealer.BUST];
    double above = noBlackjack - below;
    Arrays.fill(stand, 0, 17, below - above);
    for (int points = 17; points <= 21; points++) {
      double equal = dealing[DRAWING + points - 17] - (points == 21 ? blackjack : 0);
      above -= equal;
      stand[points] = below - above;
      below += equal;
    }
  }

  /// Returns where a card leads the dealer from each hand that draws: to the index of another such
  /// hand, or of an outcome.
  private static byte[][] next(boolean hitsSoft17) {
    byte[][] next = new byte[DRAWING][Shoe.RANKS];
    for (int at = 2; at < DRAWING; at++) {
      for (int rank = 1; rank <= Shoe.RANKS; rank++) {
        int total = at / 2 + rank;
        boolean ace = at % 2 == 1 || rank == 1;
        int points = Points.of(total, ace);
        next[at][rank - 1] =
            (byte)
                (Points.dealerDraws(total, ace, hitsSoft17)
                    ? 2 * total + (ace ? 1 : 0)
                    : DRAWING + (points > 21 ? Dealer.BUST : points - 17));
      }
    }
    return next;
  }
}
