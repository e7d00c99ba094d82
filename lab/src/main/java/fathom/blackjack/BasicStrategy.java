package fathom.blackjack;

/// Basic strategy: for every total, soft total and pair against every open card the move that is
/// best when nothing else is known of the shoe.
///
/// The table is computed for the rules, from the exact values of all two-card hands dealt from a
/// full shoe ([Expectation#moves]); hands of one total count by how often they are dealt. Hands of
/// three and more cards are played by the same table. Cost: a second.
public final class BasicStrategy implements Strategy {
  private static final int ENTRIES = 22 * Shoe.RANKS;

  private final boolean[] hitHard = new boolean[ENTRIES];
  private final boolean[] doubleHard = new boolean[ENTRIES];
  private final boolean[] surrender = new boolean[ENTRIES];
  private final boolean[] hitSoft = new boolean[ENTRIES];
  private final boolean[] doubleSoft = new boolean[ENTRIES];
  private final boolean[] split = new boolean[ENTRIES];
  private final boolean[] surrenderPair = new boolean[ENTRIES];

  private BasicStrategy() {}

  public static BasicStrategy of(Rules rules) {
    var table = new BasicStrategy();
    Expectation best = Expectation.ofBestPlay(rules);
    Shoe shoe = Shoe.of(rules.decks());
    for (int up = 1; up <= Shoe.RANKS; up++) {
      table.fill(best.allMoves(shoe, up), shoe.without(up), up);
    }
    return table;
  }

  /// @param moves the values of the moves of two cards, of which the second is not the lower one
  private void fill(double[][][] moves, Shoe shoe, int up) {
    double[][] hard = new double[22][Move.values().length];
    for (int a = 1; a <= Shoe.RANKS; a++) {
      for (int b = a; b <= Shoe.RANKS; b++) {
        double[] of = moves[a][b];
        if (a == 1) {
          int at = at(Points.of(a + b, true), up);
          hitSoft[at] = hit(of);
          doubleSoft[at] = of[Move.DOUBLE.ordinal()] > withoutDouble(of);
        } else if (a != b || a == 2 || a == 10) { // of totals 4 and 20 there is nothing else
          double ways = shoe.count(a) * (double) (a == b ? shoe.count(b) - 1 : 2 * shoe.count(b));
          for (Move move : Move.values()) {
            if (move != Move.SPLIT) {
              hard[a + b][move.ordinal()] += ways * of[move.ordinal()];
            }
          }
        }
        if (a == b) {
          double unsplit = Math.max(withoutDouble(of), of[Move.DOUBLE.ordinal()]);
          double asPair = of[Move.SPLIT.ordinal()];
          double givenUp = of[Move.SURRENDER.ordinal()];
          split[at(a, up)] = asPair > Math.max(unsplit, givenUp);
          surrenderPair[at(a, up)] = givenUp > Math.max(unsplit, asPair);
        }
      }
    }
    for (int total = 4; total <= 20; total++) {
      double[] of = hard[total];
      int at = at(total, up);
      hitHard[at] = hit(of);
      doubleHard[at] = of[Move.DOUBLE.ordinal()] > withoutDouble(of);
      surrender[at] =
          of[Move.SURRENDER.ordinal()] > Math.max(withoutDouble(of), of[Move.DOUBLE.ordinal()]);
    }
  }

  private static boolean hit(double[] of) {
    return of[Move.HIT.ordinal()] > of[Move.STAND.ordinal()];
  }

  private static double withoutDouble(double[] of) {
    return Math.max(of[Move.HIT.ordinal()], of[Move.STAND.ordinal()]);
  }

  private static int at(int row, int up) {
    return row * Shoe.RANKS + up - 1;
  }

  @Override
  public Move move(
      int total, boolean soft, int pair, int up, boolean mayDouble, boolean maySurrender) {
    int at = total * Shoe.RANKS + up - 1;
    if (pair > 0) {
      int row = pair * Shoe.RANKS + up - 1;
      if (split[row]) {
        return Move.SPLIT;
      }
      if (maySurrender && surrenderPair[row]) {
        return Move.SURRENDER;
      }
    } else if (maySurrender && !soft && surrender[at]) {
      return Move.SURRENDER;
    }
    if (mayDouble && (soft ? doubleSoft : doubleHard)[at]) {
      return Move.DOUBLE;
    }
    return (soft ? hitSoft : hitHard)[at] ? Move.HIT : Move.STAND;
  }

  /// The table: a letter (H, S, D, P for a split, R for surrender) for the open cards 2 to 10 and
  /// ace, for two cards of each total, soft total and pair, as all moves that the rules allow.
  @Override
  public String toString() {
    var lines = new StringBuilder("              2 3 4 5 6 7 8 9 T A\n");
    for (int total = 5; total <= 20; total++) {
      line(lines, "hard " + total, total, false, 0);
    }
    for (int total = 13; total <= 20; total++) {
      line(lines, "soft " + total, total, true, 0);
    }
    for (int rank = 2; rank <= Shoe.RANKS; rank++) {
      line(lines, "pair of " + rank, 2 * rank, false, rank);
    }
    line(lines, "pair of aces", 12, true, 1);
    return lines.toString();
  }

  private void line(StringBuilder lines, String name, int total, boolean soft, int pair) {
    lines.append("%-13s".formatted(name));
    for (int up = 2; up <= Shoe.RANKS + 1; up++) {
      Move move = move(total, soft, pair, up > Shoe.RANKS ? 1 : up, true, true);
      lines.append(' ').append("SHDPR".charAt(move.ordinal()));
    }
    lines.append('\n');
  }
}
