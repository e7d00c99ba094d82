package fathom.blackjack;

/// The moves of a player.
public enum Move {
  /// Takes no more cards.
  STAND,
  /// Takes a card.
  HIT,
  /// Doubles the bet, takes one card, and stands.
  DOUBLE,
  /// Makes two hands of a pair, each with the bet.
  SPLIT,
  /// Gives up the hand and loses half of the bet, after the dealer has looked for blackjack.
  SURRENDER
}
