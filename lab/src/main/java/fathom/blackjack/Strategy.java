package fathom.blackjack;

/// The way in which a player plays hands: a function of the cards on the table.
@FunctionalInterface
public interface Strategy {
  /// Returns the move for a hand. It must be allowed: [Move#DOUBLE] if `mayDouble`, [Move#SPLIT] if
  /// there is a `pair`, [Move#SURRENDER] if `maySurrender`.
  ///
  /// @param total the hand's points, with an ace as 11 where that is no bust; 4 to 21
  /// @param soft whether an ace counts 11
  /// @param pair the rank of two equal cards if they may be split, otherwise 0
  /// @param up the rank of the dealer's open card
  /// @param mayDouble whether the bet may be doubled
  /// @param maySurrender whether the hand may be given up
  Move move(int total, boolean soft, int pair, int up, boolean mayDouble, boolean maySurrender);
}
