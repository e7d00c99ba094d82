package fathom.blackjack;

/// How hands are played: a function of what lies on the table.
@FunctionalInterface
public interface Strategy {
  /// What to do with a hand. It must be allowed: [Move#DOUBLE] if `mayDouble`, [Move#SPLIT] if
  /// there is a `pair`, [Move#SURRENDER] if `maySurrender`.
  ///
  /// @param total the hand's points, with an ace as 11 where that is no bust: 4 to 21
  /// @param soft whether an ace counts 11
  /// @param pair the rank of two equal cards if they may be split, otherwise 0
  /// @param up the dealer's open card
  Move move(int total, boolean soft, int pair, int up, boolean mayDouble, boolean maySurrender);
}
