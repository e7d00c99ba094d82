package fathom.blackjack;

/// The points of hands. A hand is given by its total with every ace as 1, and by whether it has an
/// ace.
final class Points {
  private Points() {}

  static boolean soft(int total, boolean ace) {
    return ace && total <= 11;
  }

  /// Returns the points, with an ace as 11 where that is no bust.
  static int of(int total, boolean ace) {
    return soft(total, ace) ? total + 10 : total;
  }

  static boolean dealerDraws(int total, boolean ace, boolean hitsSoft17) {
    int points = of(total, ace);
    return points < 17 || (points == 17 && hitsSoft17 && soft(total, ace));
  }

  static boolean blackjack(int first, int second) {
    return first + second == 11 && (first == 1 || second == 1);
  }
}
