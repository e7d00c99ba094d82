package fathom.blackjack;

/// The rules of a table at which one player plays against the dealer.
///
/// The dealer looks for blackjack under an ace or a ten before the player moves, so that a
/// blackjack of the dealer takes only the first bet. Any two first cards may be doubled. Split aces
/// get one card each and are not split again, and 21 with a split ace or ten is no blackjack. There
/// is no insurance.
///
/// @param decks the number of decks of 52 cards, 1 to 8
/// @param penetration the part of the shoe that is dealt before it is shuffled, 0 to 0.9; no round
///   begins after it, and at 0 every round has a fresh shoe
/// @param hitsSoft17 whether the dealer takes a card at 17 with an ace that counts 11
/// @param doubleAfterSplit whether a hand from a split may be doubled
/// @param maxHands the number of hands that a player can make by splitting, 1 (no splits) to 4
/// @param lateSurrender whether the two first cards may be given up
/// @param blackjackPays what a blackjack wins, in bets, 1 to 2; for example 1.5 (3:2) or 1.2 (6:5)
public record Rules(
    int decks,
    double penetration,
    boolean hitsSoft17,
    boolean doubleAfterSplit,
    int maxHands,
    boolean lateSurrender,
    double blackjackPays) {

  /// Checks the rules.
  ///
  /// @throws IllegalArgumentException if a number is outside its range
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

  /// Returns the usual rules: the dealer stands on every 17, doubling after a split is allowed,
  /// splits make up to four hands, there is no surrender, a blackjack pays 3:2, and three quarters
  /// of the shoe are dealt.
  public static Rules of(int decks) {
    return new Rules(decks, 0.75, false, true, 4, false, 1.5);
  }

  /// Returns these rules with another penetration.
  public Rules dealt(double penetration) {
    return new Rules(
        decks, penetration, hitsSoft17, doubleAfterSplit, maxHands, lateSurrender, blackjackPays);
  }

  /// Returns these rules with a dealer who takes a card at soft 17.
  public Rules dealerHitsSoft17() {
    return new Rules(
        decks, penetration, true, doubleAfterSplit, maxHands, lateSurrender, blackjackPays);
  }

  /// Returns these rules without doubling after a split.
  public Rules noDoubleAfterSplit() {
    return new Rules(decks, penetration, hitsSoft17, false, maxHands, lateSurrender, blackjackPays);
  }

  /// Returns these rules with another largest number of hands from splits.
  public Rules upTo(int hands) {
    return new Rules(
        decks, penetration, hitsSoft17, doubleAfterSplit, hands, lateSurrender, blackjackPays);
  }

  /// Returns these rules with late surrender.
  public Rules withLateSurrender() {
    return new Rules(
        decks, penetration, hitsSoft17, doubleAfterSplit, maxHands, true, blackjackPays);
  }

  /// Returns these rules with another payment for a blackjack, in bets.
  public Rules paying(double blackjack) {
    return new Rules(
        decks, penetration, hitsSoft17, doubleAfterSplit, maxHands, lateSurrender, blackjack);
  }

  /// Returns how many hands two cards of `rank` can become.
  int handsOf(int rank) {
    return rank == 1 ? Math.min(2, maxHands) : maxHands;
  }
}
