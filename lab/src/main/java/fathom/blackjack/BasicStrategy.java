package fathom.blackjack;

import fathom.blackjack.Expectation.Moves;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;

/// Basic strategy: the table of the best move for every hard total, soft total and pair against
/// every open card, when nothing else is known of the shoe.
///
/// The table is computed for the rules, from the exact values of all two-card hands dealt from a
/// full shoe ([Expectation#moves]). Hands with the same total are weighted by how often they are
/// dealt. Hands of three and more cards are played by the same table. Computing it takes a second.
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

  /// Computes basic strategy for these rules.
  public static BasicStrategy of(Rules rules) {
    var table = new BasicStrategy();
    Expectation best = Expectation.ofBestPlay(rules);
    Shoe shoe = Shoe.of(rules.decks());
    for (int up = 1; up <= Shoe.RANKS; up++) {
      table.fill(best.allMoves(shoe, up), shoe.without(up), up);
    }
    return table;
  }

  private void fill(List<Moves> moves, Shoe shoe, int up) {
    var hard = new ArrayList<Moves>();
    for (int total = 0; total <= 20; total++) {
      hard.add(new Moves(0, 0, new EnumMap<>(Move.class)));
    }
    for (Moves of : moves) {
      int a = of.first();
      int b = of.second();
      if (a == 1) {
        int at = at(Points.of(a + b, true), up);
        hitSoft[at] = hit(of);
        doubleSoft[at] = of.of(Move.DOUBLE) > withoutDouble(of);
      } else if (a != b || a == 2 || a == 10) { // totals 4 and 20 come from pairs only
        double ways = shoe.count(a) * (double) (a == b ? shoe.count(b) - 1 : 2 * shoe.count(b));
        of.values()
            .forEach(
                (move, value) -> hard.get(a + b).values().merge(move, ways * value, Double::sum));
      }
      if (a == b) {
        double unsplit = Math.max(withoutDouble(of), of.of(Move.DOUBLE));
        double asPair = of.of(Move.SPLIT);
        double givenUp = of.of(Move.SURRENDER);
        split[at(a, up)] = asPair > Math.max(unsplit, givenUp);
        surrenderPair[at(a, up)] = givenUp > Math.max(unsplit, asPair);
      }
    }
    for (int total = 4; total <= 20; total++) {
      Moves of = hard.get(total);
      int at = at(total, up);
      hitHard[at] = hit(of);
      doubleHard[at] = of.of(Move.DOUBLE) > withoutDouble(of);
      surrender[at] = of.of(Move.SURRENDER) > Math.max(withoutDouble(of), of.of(Move.DOUBLE));
    }
  }

  private static boolean hit(Moves of) {
    return of.of(Move.HIT) > of.of(Move.STAND);
  }

  private static double withoutDouble(Moves of) {
    return Math.max(of.of(Move.HIT), of.of(Move.STAND));
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

  /// Returns the table. For two cards of each total, soft total and pair, against the open cards 2
  /// to 10 and ace, it has a letter: H (hit), S (stand), D (double), P (split) or R (surrender). It
  /// assumes that doubling and surrender are allowed.
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
      lines
          .append(' ')
          .append(
              switch (move) {
                case STAND -> 'S';
                case HIT -> 'H';
                case DOUBLE -> 'D';
                case SPLIT -> 'P';
                case SURRENDER -> 'R';
              });
    }
    lines.append('\n');
  }
}
