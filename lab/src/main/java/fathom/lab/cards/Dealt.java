package fathom.lab.cards;

import fathom.RandomKey;
import fathom.Tensor;
import fathom.blackjack.HiLo;
import fathom.blackjack.Shoe;
import fathom.recurrent.Sequences;

/// Cards in the order in which they were dealt, without replacement, each time from fresh decks.
///
/// @param cards for each deal its cards, 1 (ace) to 13 (king)
record Dealt(int[][] cards) {
  /// The ranks that a deck has four of: jack, queen and king are not the ten.
  static final int FACES = 13;

  static Dealt of(RandomKey key, int decks, int count, int length) {
    int[][] cards = new int[count][length];
    int[] shoe = new int[52 * decks];
    for (int i = 0; i < count; i++) {
      RandomKey one = key.at(i);
      for (int c = 0; c < shoe.length; c++) {
        shoe[c] = c % FACES + 1;
      }
      for (int c = 0; c < length; c++) {
        int j = c + one.below(c, shoe.length - c);
        cards[i][c] = shoe[j];
        shoe[j] = shoe[c];
      }
    }
    return new Dealt(cards);
  }

  int count() {
    return cards.length;
  }

  /// The deals `at[from .. to-1]`, card by card: T×N×10, where the rank's place is 1 and all others
  /// are 0. Tens, jacks, queens and kings are one rank.
  Sequences oneHot(int[] at, int from, int to, int steps) {
    int n = to - from;
    float[] x = new float[steps * n * Shoe.RANKS];
    for (int t = 0; t < steps; t++) {
      for (int i = 0; i < n; i++) {
        x[(t * n + i) * Shoe.RANKS + rank(cards[at[from + i]][t]) - 1] = 1;
      }
    }
    return Sequences.of(Tensor.of(x, steps, n, Shoe.RANKS));
  }

  private static int rank(int card) {
    return Math.min(card, Shoe.RANKS);
  }

  /// How many of each rank the first `steps` cards of a deal are.
  int[] seen(int deal, int steps) {
    int[] seen = new int[Shoe.RANKS];
    for (int t = 0; t < steps; t++) {
      seen[rank(cards[deal][t]) - 1]++;
    }
    return seen;
  }

  /// The running count of a deal after so many cards.
  double running(int deal, int steps) {
    return HiLo.running(seen(deal, steps));
  }

  /// Ten-valued cards of a deal after so many cards.
  double tens(int deal, int steps) {
    return seen(deal, steps)[Shoe.RANKS - 1];
  }
}
