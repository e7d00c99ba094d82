package fathom.blackjack;

/// The rules of a table at which one player plays against the dealer.
///
/// The dealer looks for blackjack under an ace or a ten before the player moves, so that only the
/// first bet is lost to it. Two first cards may be doubled whatever they are. Split aces get one
/// card each and are not split again, and 21 with a split ace or ten is no blackjack. No insurance.
///
/// @param decks decks of 52 cards, 1 to 8
/// @param penetration how much of the shoe is dealt before it is shuffled, 0 to 0.9: no round
///   begins behind it, and at 0 every round has a fresh shoe
/// @param hitsSoft17 whether the dealer takes a card at 17 with an ace that counts 11
/// @param doubleAfterSplit whether a hand from a split may be doubled
/// @param maxHands how many hands a player can make by splitting, 1 (no splits) to 4
/// @param lateSurrender whether the two first cards may be given up
/// @param blackjackPays what a blackjack wins: 1.5 (3:2) or 1.2 (6:5), say
public record Rules(
    int decks,
    double penetration,
    boolean hitsSoft17,
    boolean doubleAfterSplit,
    int maxHands,
    boolean lateSurrender,
    double blackjackPays) {

  public Rules {
    if (decks < 1 || decks > 8) {
      throw new IllegalArgumentException("a shoe has 1 to 8 decks, not " + decks);
    }
    if (!(penetration >= 0 && penetration <= 0.9)) {
      throw new IllegalArgumentException(
          "the part of a shoe that is dealt is 0 to 0.9, not " + penetration);
    }
    if (maxHands < 1 || maxHands > 4) {
      throw new IllegalArgumentException("a player has 1 to 4 hands, not " + maxHands);
    }
    if (!(blackjackPays >= 1 && blackjackPays <= 2)) {
      throw new IllegalArgumentException("a blackjack pays 1 to 2 bets, not " + blackjackPays);
    }
  }

  /// The dealer stands on all 17s, doubling after a split, splits up to four hands, no surrender,
  /// 3:2, and three quarters of the shoe are dealt.
  public static Rules of(int decks) {
    return new Rules(decks, 0.75, false, true, 4, false, 1.5);
  }

  public Rules dealt(double penetration) {
    return new Rules(
        decks, penetration, hitsSoft17, doubleAfterSplit, maxHands, lateSurrender, blackjackPays);
  }

  public Rules dealerHitsSoft17() {
    return new Rules(
        decks, penetration, true, doubleAfterSplit, maxHands, lateSurrender, blackjackPays);
  }

  public Rules noDoubleAfterSplit() {
    return new Rules(decks, penetration, hitsSoft17, false, maxHands, lateSurrender, blackjackPays);
  }

  public Rules upTo(int hands) {
    return new Rules(
        decks, penetration, hitsSoft17, doubleAfterSplit, hands, lateSurrender, blackjackPays);
  }

  public Rules withLateSurrender() {
    return new Rules(
        decks, penetration, hitsSoft17, doubleAfterSplit, maxHands, true, blackjackPays);
  }

  public Rules paying(double blackjack) {
    return new Rules(
        decks, penetration, hitsSoft17, doubleAfterSplit, maxHands, lateSurrender, blackjack);
  }

  /// How many hands two cards of `rank` can become.
  int handsOf(int rank) {
    return rank == 1 ? Math.min(2, maxHands) : maxHands;
  }
}
