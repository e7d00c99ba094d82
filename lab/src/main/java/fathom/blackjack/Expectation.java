package fathom.blackjack;

import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The exact expectation of a round for a composition of the shoe. It goes through every hand that
/// can be dealt and drawn, without replacement, against every hand of the dealer ([Dealer]).
///
/// The dealer's hidden card restricts the player's cards only where the dealer has looked for
/// blackjack. So values are weighted by the event that there is none: E[money·1(no blackjack)] at a
/// hand is the mean of the same number over the next card. The hidden card can therefore be dealt
/// last, because all orders of the shoe are equally likely.
///
/// **Splits.** For the same reason both hands of a split have the expectation of the first hand.
/// This is exact if at most two hands can be made and if each hand is played by its own cards.
/// Where a hand may be split again, the further cards of the rank are drawn with their
/// probabilities in the shoe, and the hands' expectations are those before any of them was drawn.
/// This is the only approximation here.
///
/// The shoe has at least 12 cards. If a hand could outlast the shoe, the round counts as a push.
public final class Expectation {
  private final Rules rules;

  /// How hands are played; null for the best play for the shoe and the hand's cards.
  private final @Nullable Strategy strategy;

  private Expectation(Rules rules, @Nullable Strategy strategy) {
    this.rules = rules;
    this.strategy = strategy;
  }

  /// Returns the expectation of a player who plays by `strategy`, whatever the shoe.
  public static Expectation of(Rules rules, Strategy strategy) {
    return new Expectation(rules, strategy);
  }

  /// Returns the expectation of a player who knows the shoe and always makes the best move.
  public static Expectation ofBestPlay(Rules rules) {
    return new Expectation(rules, null);
  }

  /// Returns the expectation of a round dealt from `shoe`, in bets. The number of decks in the
  /// rules does not matter. It takes some milliseconds for a strategy, and a tenth of a second for
  /// best play.
  ///
  /// @throws IllegalArgumentException if the shoe has fewer than 12 cards
  public double of(Shoe shoe) {
    check(shoe);
    double sum = 0;
    for (int up = 1; up <= Shoe.RANKS; up++) {
      if (shoe.count(up) > 0) {
        sum += shoe.count(up) / (double) shoe.cards() * new Open(shoe.without(up), up).value();
      }
    }
    return sum;
  }

  /// Returns the value of each allowed move in bets, for two first cards against an open card when
  /// the dealer has no blackjack. After the move, the hand is played as this expectation plays.
  ///
  /// @param shoe the shoe with these three cards and at least 12 others
  /// @param first the rank of the player's first card, 1 (ace) to 10
  /// @param second the rank of the player's second card
  /// @param up the rank of the dealer's open card
  /// @throws IllegalArgumentException if the shoe lacks one of the cards or has fewer than 12
  ///   others
  public Map<Move, Double> moves(Shoe shoe, int first, int second, int up) {
    check(shoe.without(first).without(second).without(up));
    var open = new Open(shoe.without(up), up);
    open.take(first);
    open.take(second);
    Map<Move, Double> values = open.moves(first, second, true);
    double chance = open.node().noBlackjack;
    values.replaceAll((_, value) -> value / chance);
    return values;
  }

  /// The values of the moves of two first cards, each times the probability that the dealer has no
  /// blackjack.
  record Moves(int first, int second, Map<Move, Double> values) {
    /// Returns the value of a move; negative infinity where the move is not allowed.
    double of(Move move) {
      return values.getOrDefault(move, Double.NEGATIVE_INFINITY);
    }
  }

  /// Returns the moves of all pairs of first cards, the lower rank first. All pairs share one
  /// [Open], because it remembers the hands that they have in common.
  List<Moves> allMoves(Shoe shoe, int up) {
    var open = new Open(shoe.without(up), up);
    var all = new ArrayList<Moves>();
    for (int a = 1; a <= Shoe.RANKS; a++) {
      open.take(a);
      for (int b = a; b <= Shoe.RANKS; b++) {
        open.take(b);
        all.add(new Moves(a, b, open.moves(a, b, true)));
        open.giveBack(b);
      }
      open.giveBack(a);
    }
    return all;
  }

  static void check(Shoe shoe) {
    if (shoe.cards() < 12) {
      throw new IllegalArgumentException(
          "an expectation is of a shoe of at least 12 cards, not %s".formatted(shoe.cards()));
    }
  }

  /// The dealer's outcomes when certain cards are gone.
  private record Node(double[] dealer, double noBlackjack) {
    /// Returns E[money·1(no blackjack)] of a bet on a hand that stands.
    double stand(int points) {
      if (points > 21) {
        return -noBlackjack;
      }
      double sum = dealer[Dealer.BUST];
      for (int d = 17; d <= 21; d++) {
        sum += Integer.signum(points - d) * dealer[d - 17];
      }
      return sum;
    }
  }

  /// All rounds against one open card.
  private final class Open {
    private final int up;
    private final Dealer dealer;
    private final int[] left;
    private int cards;

    /// The cards that the player has taken, with five bits for each rank, because there can be 21
    /// aces.
    private long taken;

    private final Map<Long, Node> nodes = new HashMap<>();

    /// The values of hands of three and more cards, by the cards taken.
    private Map<Long, Double> values = new HashMap<>();

    Open(Shoe shoe, int up) {
      this.up = up;
      this.dealer = Dealer.with(up, rules.hitsSoft17());
      this.left = shoe.counts();
      this.cards = shoe.cards();
    }

    void take(int rank) {
      left[rank - 1]--;
      cards--;
      taken += 1L << (5 * rank);
    }

    private void giveBack(int rank) {
      left[rank - 1]++;
      cards++;
      taken -= 1L << (5 * rank);
    }

    Node node() {
      Node node = nodes.get(taken);
      if (node == null) {
        double[] outcomes = new double[Dealer.BLACKJACK + 1];
        dealer.outcomes(left, cards, outcomes);
        node = new Node(outcomes, 1 - outcomes[Dealer.BLACKJACK]);
        nodes.put(taken, node);
      }
      return node;
    }

    /// Returns the probability that the dealer has no blackjack, which is all that a bust hand
    /// needs.
    private double noBlackjack() {
      return switch (up) {
        case 1 -> 1 - left[9] / (double) cards;
        case 10 -> 1 - left[0] / (double) cards;
        default -> 1;
      };
    }

    double value() {
      double sum = 0;
      for (int a = 1; a <= Shoe.RANKS; a++) {
        double chance = left[a - 1] / (double) cards;
        if (chance == 0) {
          continue;
        }
        take(a);
        for (int b = a; b <= Shoe.RANKS; b++) {
          double both = chance * left[b - 1] / cards * (a == b ? 1 : 2);
          if (both > 0) {
            take(b);
            double none = noBlackjack();
            sum +=
                both
                    * (Points.blackjack(a, b)
                        ? rules.blackjackPays() * none
                        : played(a, b, true) - (1 - none));
            giveBack(b);
          }
        }
        giveBack(a);
      }
      return sum;
    }

    /// Returns the values of the moves of two cards, which are taken. `first` says that they are
    /// the first two cards and no hand of a split.
    Map<Move, Double> moves(int a, int b, boolean first) {
      var values = new EnumMap<Move, Double>(Move.class);
      for (Move move : Move.values()) {
        if (allowed(move, a, b, first)) {
          values.put(move, value(move, a, b));
        }
      }
      return values;
    }

    private boolean allowed(Move move, int a, int b, boolean first) {
      return switch (move) {
        case STAND -> true;
        case HIT -> first || a != 1; // a split ace has one card
        case DOUBLE -> first || (a != 1 && rules.doubleAfterSplit());
        case SPLIT -> first && a == b && rules.handsOf(a) > 1;
        case SURRENDER -> first && rules.lateSurrender();
      };
    }

    private double value(Move move, int a, int b) {
      int total = a + b;
      boolean ace = a == 1 || b == 1;
      return switch (move) {
        case STAND -> node().stand(Points.of(total, ace));
        case HIT -> hit(total, ace, false);
        case DOUBLE -> 2 * hit(total, ace, true);
        case SPLIT -> split(a);
        case SURRENDER -> -0.5 * noBlackjack();
      };
    }

    private double played(int a, int b, boolean first) {
      if (strategy == null) {
        return Collections.max(moves(a, b, first).values());
      }
      if (!first && a == 1) {
        return value(Move.STAND, a, b);
      }
      int total = a + b;
      boolean ace = a == 1 || b == 1;
      Move move =
          strategy.move(
              Points.of(total, ace),
              Points.soft(total, ace),
              allowed(Move.SPLIT, a, b, first) ? a : 0,
              up,
              allowed(Move.DOUBLE, a, b, first),
              allowed(Move.SURRENDER, a, b, first));
      if (!allowed(move, a, b, first)) {
        throw new IllegalStateException(
            "the strategy's move is %s, which is not allowed here".formatted(move));
      }
      return value(move, a, b);
    }

    /// Returns the mean value over the next card; `last` says that no card follows it.
    private double hit(int total, boolean ace, boolean last) {
      double sum = 0;
      for (int rank = 1; rank <= Shoe.RANKS; rank++) {
        double chance = left[rank - 1] / (double) cards;
        if (chance > 0 && cards > 1) {
          take(rank);
          int next = total + rank;
          boolean withAce = ace || rank == 1;
          double value =
              next > 21
                  ? -noBlackjack()
                  : last ? node().stand(Points.of(next, withAce)) : further(next, withAce);
          sum += chance * value;
          giveBack(rank);
        }
      }
      return sum;
    }

    /// Returns the value of a hand of three or more cards, which are taken.
    private double further(int total, boolean ace) {
      Double known = values.get(taken);
      if (known != null) {
        return known;
      }
      int points = Points.of(total, ace);
      double value;
      if (strategy == null) {
        double stand = node().stand(points);
        value = points == 21 ? stand : Math.max(stand, hit(total, ace, false));
      } else {
        value =
            switch (strategy.move(points, Points.soft(total, ace), 0, up, false, false)) {
              case STAND -> node().stand(points);
              case HIT -> hit(total, ace, false);
              case DOUBLE, SPLIT, SURRENDER ->
                  throw new IllegalStateException(
                      "of three and more cards a strategy stands or hits");
            };
      }
      values.put(taken, value);
      return value;
    }

    /// Returns the value of splitting two cards of `rank`, which are taken.
    private double split(int rank) {
      Map<Long, Double> whole = values;
      values = new HashMap<>(); // in a split, one of the cards taken belongs to the other hand
      double others = 0;
      double equal = 0;
      for (int b = 1; b <= Shoe.RANKS; b++) {
        double chance = left[b - 1] / (double) cards;
        if (chance > 0) {
          take(b);
          double value = played(rank, b, false);
          giveBack(b);
          if (b == rank) {
            equal = value;
          } else {
            others += chance * value;
          }
        }
      }
      values = whole;
      double chance = left[rank - 1] / (double) cards;
      if (chance == 1) {
        return rules.handsOf(rank) * equal;
      }
      return hands(rank, 2, 2, 0, 0, equal, others / (1 - chance));
    }

    /// Returns the value of `waiting` hands of one card, of `made` hands in all, after `drawn`
    /// cards were drawn to such hands and `same` of them were of the rank.
    private double hands(
        int rank, int waiting, int made, int drawn, int same, double equal, double others) {
      if (waiting == 0) {
        return 0;
      }
      double chance =
          Math.clamp((left[rank - 1] - same) / (double) Math.max(1, cards - drawn), 0, 1);
      double again =
          made < rules.handsOf(rank)
              ? hands(rank, waiting + 1, made + 1, drawn + 1, same + 1, equal, others)
              : equal + hands(rank, waiting - 1, made, drawn + 1, same + 1, equal, others);
      return chance * again
          + (1 - chance)
              * (others + hands(rank, waiting - 1, made, drawn + 1, same, equal, others));
    }
  }
}
