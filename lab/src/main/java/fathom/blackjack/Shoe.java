package fathom.blackjack;

import java.util.Arrays;

/// Which cards are still to be dealt: how many of each rank, in an order that nobody knows.
public final class Shoe {
  /// How many ranks there are.
  public static final int RANKS = 10;

  private final int[] counts;
  private final int cards;

  private Shoe(int[] counts) {
    this.counts = counts;
    this.cards = Arrays.stream(counts).sum();
  }

  /// Whole decks of 52 cards.
  public static Shoe of(int decks) {
    if (decks < 1) {
      throw new IllegalArgumentException("a shoe has at least one deck, not " + decks);
    }
    int[] counts = new int[RANKS];
    Arrays.fill(counts, 4 * decks);
    counts[RANKS - 1] = 16 * decks;
    return new Shoe(counts);
  }

  /// So many aces, twos, ..., tens. Throws `IllegalArgumentException` unless they are ten numbers
  /// of 0 or more.
  public static Shoe ofCounts(int... counts) {
    if (counts.length != RANKS || Arrays.stream(counts).anyMatch(c -> c < 0)) {
      throw new IllegalArgumentException(
          "a shoe has 0 or more cards of each of ten ranks, but was given "
              + Arrays.toString(counts));
    }
    return new Shoe(counts.clone());
  }

  /// This one less a card. Throws `IllegalArgumentException` if it has none of this rank.
  public Shoe without(int rank) {
    checkRank(rank);
    int[] seen = new int[RANKS];
    seen[rank - 1] = 1;
    return without(seen);
  }

  /// This one less so many of each rank. Throws `IllegalArgumentException` where it has fewer.
  public Shoe without(int[] seen) {
    int[] left = counts.clone();
    for (int r = 0; r < RANKS; r++) {
      left[r] -= seen[r];
      if (left[r] < 0) {
        throw new IllegalArgumentException(
            "of rank %s there are %s cards, but %s are to be taken out"
                .formatted(r + 1, counts[r], seen[r]));
      }
    }
    return new Shoe(left);
  }

  static void checkRank(int rank) {
    if (rank < 1 || rank > RANKS) {
      throw new IllegalArgumentException(
          "a rank is 1 (ace) to 10 (ten, jack, queen, king), not " + rank);
    }
  }

  /// How many cards of a rank there are.
  public int count(int rank) {
    checkRank(rank);
    return counts[rank - 1];
  }

  /// How many cards there are.
  public int cards() {
    return cards;
  }

  /// How many of each rank there are, in an array of the caller's own.
  public int[] counts() {
    return counts.clone();
  }

  @Override
  public String toString() {
    return "Shoe " + Arrays.toString(counts);
  }
}
