package fathom.blackjack;

/// What many rounds came to.
///
/// @param mean money for a round, in bets
/// @param deviation the standard deviation of a round
public record Tally(long rounds, double mean, double deviation) {
  /// The standard deviation of the mean, where rounds are independent.
  public double standardError() {
    return deviation / Math.sqrt((double) rounds);
  }
}
