package fathom.blackjack;

/// The Hi-Lo count (Dubner 1963): +1 for every card from 2 to 6 that has been seen, −1 for every
/// ten and ace.
public final class HiLo {
  private HiLo() {}

  /// Returns the running count of the cards seen.
  ///
  /// @param seen the number of cards of each rank, aces first, tens last
  public static int running(int[] seen) {
    return seen[1] + seen[2] + seen[3] + seen[4] + seen[5] - seen[9] - seen[0];
  }

  /// Returns the running count divided by the number of decks that are left. Throws
  /// `IllegalArgumentException` if no card is left.
  public static double trueCount(int[] seen, int decks) {
    int left = 52 * decks;
    for (int s : seen) {
      left -= s;
    }
    if (left <= 0) {
      throw new IllegalArgumentException(
          "a true count needs a card that is left, but of %s decks there are %s"
              .formatted(decks, left));
    }
    return running(seen) * 52.0 / left;
  }
}
