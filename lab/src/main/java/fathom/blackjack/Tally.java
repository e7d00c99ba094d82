package fathom.blackjack;

/// What many rounds came to.
///
/// @param mean money for a round, in bets
/// @param standardDeviation the standard deviation of a round
public record Tally(long rounds, double mean, double standardDeviation) {
  /// The standard deviation of the mean, where rounds are independent.
  public double standardError() {
    return standardDeviation / Math.sqrt((double) rounds);
  }
}
