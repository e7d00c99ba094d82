package fathom.blackjack;

/// The results of many rounds.
///
/// @param rounds the number of rounds
/// @param mean the mean result of a round, in bets
/// @param standardDeviation the standard deviation of the result of a round, in bets
public record Tally(long rounds, double mean, double standardDeviation) {
  /// Returns the standard deviation of the mean, for independent rounds.
  public double standardError() {
    return standardDeviation / Math.sqrt((double) rounds);
  }
}
