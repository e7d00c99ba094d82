package fathom.lab.cards;

import fathom.DType;
import fathom.RandomKey;
import fathom.Tensor;
import fathom.blackjack.HiLo;
import fathom.blackjack.Shoe;

/// Shoes with cards gone that were drawn at random without replacement: the cards that a player has
/// seen.
///
/// @param decks the number of decks of each full shoe
/// @param seen for each shoe, how many cards of each rank are gone; rank r is at index r − 1, and
///   ten, jack, queen and king are rank 10
/// @param faces for each shoe, how many of the cards gone are jacks, queens and kings
record Depleted(int decks, int[][] seen, int[] faces) {
  /// Draws `count` shoes with `least` to `most` cards gone each; every number is equally likely.
  static Depleted of(RandomKey key, int decks, int count, int least, int most) {
    int cards = 52 * decks;
    int[][] seen = new int[count][Shoe.RANKS];
    int[] faces = new int[count];
    for (int i = 0; i < count; i++) {
      RandomKey one = key.at(i);
      int gone = least + one.below(0, most - least + 1);
      int[] shoe = new int[cards];
      for (int c = 0; c < cards; c++) {
        shoe[c] = c % 13 + 1;
      }
      for (int c = 0; c < gone; c++) {
        int j = c + one.below(c + 1L, cards - c);
        int card = shoe[j];
        shoe[j] = shoe[c];
        seen[i][Math.min(card, Shoe.RANKS) - 1]++;
        faces[i] += card > Shoe.RANKS ? 1 : 0;
      }
    }
    return new Depleted(decks, seen, faces);
  }

  int count() {
    return seen.length;
  }

  /// Returns the inputs of a net, N×10: the cards seen of each rank over four times the decks. That
  /// is the part of a rank's cards that is gone; for tens it is four times that part. No input is
  /// constant.
  Tensor inputs(DType type) {
    return inputs(seen, decks, type);
  }

  static Tensor inputs(int[][] seen, int decks, DType type) {
    double[] x = new double[seen.length * Shoe.RANKS];
    for (int i = 0; i < x.length; i++) {
      x[i] = seen[i / Shoe.RANKS][i % Shoe.RANKS] / (4.0 * decks);
    }
    return Tensor.of(x, seen.length, Shoe.RANKS).to(type);
  }

  Shoe shoe(int i) {
    return Shoe.of(decks).without(seen[i]);
  }

  /// Returns the number of ten-valued cards seen, for each shoe.
  double[] tens() {
    double[] n = new double[count()];
    for (int i = 0; i < n.length; i++) {
      n[i] = seen[i][Shoe.RANKS - 1];
    }
    return n;
  }

  double[] faceCards() {
    double[] n = new double[count()];
    for (int i = 0; i < n.length; i++) {
      n[i] = faces[i];
    }
    return n;
  }

  /// Returns the number of all cards seen, for each shoe.
  double[] total() {
    double[] n = new double[count()];
    for (int i = 0; i < n.length; i++) {
      for (int s : seen[i]) {
        n[i] += s;
      }
    }
    return n;
  }

  double[] running() {
    double[] n = new double[count()];
    for (int i = 0; i < n.length; i++) {
      n[i] = HiLo.running(seen[i]);
    }
    return n;
  }

  double[] trueCount() {
    double[] n = new double[count()];
    for (int i = 0; i < n.length; i++) {
      n[i] = HiLo.trueCount(seen[i], decks);
    }
    return n;
  }
}
