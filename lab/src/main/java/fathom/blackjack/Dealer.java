package fathom.blackjack;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The exact probabilities of the dealer's outcomes for a composition of the shoe.
///
/// The probability of drawing cards in an order is a product of falling factorials that does not
/// depend on the order. So the hands are listed once for each open card, as the number of cards of
/// each rank, together with the number of orders in which the dealer, who has no choice, draws
/// them.
public final class Dealer {
  /// Indices of an array of outcomes; 17 to 21 points are 0 to 4.
  static final int BUST = 5;

  static final int BLACKJACK = 6;

  private static final int LONGEST = 20;

  /// Falling factorials of every number of cards that eight decks can have.
  private static final double[][] FALLING = new double[8 * 52 + 1][];

  private static final Dealer[][] ALL = new Dealer[2][Shoe.RANKS];

  static {
    for (int n = 0; n < FALLING.length; n++) {
      FALLING[n] = products(n);
    }
    for (int up = 1; up <= Shoe.RANKS; up++) {
      ALL[0][up - 1] = new Dealer(up, false);
      ALL[1][up - 1] = new Dealer(up, true);
    }
  }

  private record Drawn(double orders, int outcome, int cards, int[] ranks, int[] times) {}

  private final List<Drawn> hands = new ArrayList<>();

  private Dealer(int up, boolean hitsSoft17) {
    Map<List<Integer>, double[]> found = new LinkedHashMap<>();
    draw(up, up == 1, up, new int[Shoe.RANKS], 0, hitsSoft17, found);
    found.forEach((drawn, orders) -> {
      int[] ranks = new int[Shoe.RANKS];
      int[] times = new int[Shoe.RANKS];
      int different = 0;
      int cards = 0;
      for (int r = 0; r < Shoe.RANKS; r++) {
        if (drawn.get(r) > 0) {
          ranks[different] = r;
          times[different++] = drawn.get(r);
          cards += drawn.get(r);
        }
      }
      hands.add(
          new Drawn(
              orders[0],
              (int) orders[1],
              cards,
              Arrays.copyOf(ranks, different),
              Arrays.copyOf(times, different)));
    });
  }

  private static void draw(
      int total,
      boolean ace,
      int up,
      int[] drawn,
      int cards,
      boolean hitsSoft17,
      Map<List<Integer>, double[]> found) {
    for (int rank = 1; rank <= Shoe.RANKS; rank++) {
      int next = total + rank;
      boolean withAce = ace || rank == 1;
      drawn[rank - 1]++;
      if (Points.dealerDraws(next, withAce, hitsSoft17)) {
        draw(next, withAce, up, drawn, cards + 1, hitsSoft17, found);
      } else {
        int points = Points.of(next, withAce);
        boolean blackjack = cards == 0 && Points.blackjack(up, rank);
        int outcome = blackjack ? BLACKJACK : points > 21 ? BUST : points - 17;
        double[] one =
            found.computeIfAbsent(
                Arrays.stream(drawn).boxed().toList(), _ -> new double[] {0, outcome});
        one[0]++;
      }
      drawn[rank - 1]--;
    }
  }

  static Dealer with(int up, boolean hitsSoft17) {
    return ALL[hitsSoft17 ? 1 : 0][up - 1];
  }

  /// Returns the probabilities that the dealer ends with 17, 18, 19, 20 or 21 points, with more, or
  /// with blackjack, in this order, before the dealer has looked for blackjack.
  ///
  /// @param shoe what the dealer draws from, without the open card
  /// @param up the rank of the open card, 1 (ace) to 10
  /// @param hitsSoft17 whether the dealer takes a card at 17 with an ace that counts 11
  /// @throws IllegalArgumentException if the shoe has fewer than 12 cards
  public static double[] outcomes(Shoe shoe, int up, boolean hitsSoft17) {
    Expectation.check(shoe);
    double[] outcomes = new double[BLACKJACK + 1];
    with(up, hitsSoft17).outcomes(shoe.counts(), shoe.cards(), outcomes);
    return outcomes;
  }

  /// Writes the same probabilities into `outcomes`, for a shoe with `counts` cards of each rank and
  /// `cards` in all.
  void outcomes(int[] counts, int cards, double[] outcomes) {
    Arrays.fill(outcomes, 0);
    double[] all = falling(cards);
    for (Drawn hand : hands) {
      if (hand.cards > cards) {
        continue; // too few cards are left for this hand
      }
      double chance = hand.orders / all[hand.cards];
      for (int i = 0; i < hand.ranks.length; i++) {
        chance *= falling(counts[hand.ranks[i]])[hand.times[i]];
      }
      outcomes[hand.outcome] += chance;
    }
  }

  /// Returns n·(n − 1)···(n − k + 1) for every k.
  private static double[] falling(int n) {
    return n < FALLING.length ? FALLING[n] : products(n);
  }

  private static double[] products(int n) {
    double[] products = new double[LONGEST];
    products[0] = 1;
    for (int k = 1; k < LONGEST; k++) {
      products[k] = products[k - 1] * Math.max(0, n - k + 1);
    }
    return products;
  }
}
