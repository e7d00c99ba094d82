package fathom.blackjack;

import java.util.Arrays;

/// The composition of a shoe: how many cards of each rank are still to be dealt, in unknown order.
public final class Shoe {
  /// The number of ranks: 1 (ace) to 10 (ten, jack, queen and king).
  public static final int RANKS = 10;

  private final int[] counts;
  private final int cards;

  private Shoe(int[] counts) {
    this.counts = counts;
    this.cards = Arrays.stream(counts).sum();
  }

  /// Returns a shoe of whole decks of 52 cards. Throws `IllegalArgumentException` for less than one
  /// deck.
  public static Shoe of(int decks) {
    if (decks < 1) {
      throw new IllegalArgumentException("a shoe has at least one deck, not " + decks);
    }
    int[] counts = new int[RANKS];
    Arrays.fill(counts, 4 * decks);
    counts[RANKS - 1] = 16 * decks;
    return new Shoe(counts);
  }

  /// Returns a shoe with these numbers of aces, twos, ..., tens. Throws `IllegalArgumentException`
  /// unless they are ten numbers of 0 or more.
  public static Shoe ofCounts(int... counts) {
    if (counts.length != RANKS || Arrays.stream(counts).anyMatch(c -> c < 0)) {
      throw new IllegalArgumentException(
          "a shoe has 0 or more cards of each of ten ranks, but was given "
              + Arrays.toString(counts));
    }
    return new Shoe(counts.clone());
  }

  /// Returns this shoe without a card of this rank. Throws `IllegalArgumentException` if it has
  /// none.
  public Shoe without(int rank) {
    checkRank(rank);
    int[] seen = new int[RANKS];
    seen[rank - 1] = 1;
    return without(seen);
  }

  /// Returns this shoe without `seen[r - 1]` cards of each rank r. Throws
  /// `IllegalArgumentException` where it has fewer.
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

  /// Returns the number of cards of a rank. Throws `IllegalArgumentException` for no rank.
  public int count(int rank) {
    checkRank(rank);
    return counts[rank - 1];
  }

  /// Returns the number of all cards.
  public int cards() {
    return cards;
  }

  /// Returns the number of cards of each rank, in a new array.
  public int[] counts() {
    return counts.clone();
  }

  @Override
  public String toString() {
    return "Shoe " + Arrays.toString(counts);
  }
}
