package fathom.lab.cards;

import fathom.blackjack.QuickExpectation;
import fathom.blackjack.Rules;
import fathom.blackjack.Shoe;
import fathom.blackjack.Simulator;
import fathom.blackjack.Strategy;
import fathom.lab.ledger.Notebook;
import java.util.ArrayList;
import java.util.List;

/// The rounds on which players are measured: the cards gone before each round, the index of its
/// shoe, and the expectation of a round from there, so that a player's money is known without the
/// luck of the cards.
///
/// @param worth the expectation by [QuickExpectation], in bets
record Sessions(int[][] seen, int[] shoe, double[] worth) {
  /// Plays `rounds` rounds from the shoes of a seed, one shoe after the other.
  static Sessions of(Rules rules, Strategy strategy, long seed, int rounds, Notebook note) {
    List<int[]> seen = new ArrayList<>();
    Simulator.of(rules, strategy).play(seed, rounds, (cards, _) -> seen.add(cards.clone()));
    var expectation = new QuickExpectation(rules, strategy);
    int[] shoe = new int[seen.size()];
    double[] worth = new double[seen.size()];
    int before = 0;
    for (int i = 0; i < worth.length; i++) {
      note.alive();
      int cards = 0;
      for (int s : seen.get(i)) {
        cards += s;
      }
      shoe[i] = i == 0 ? 0 : shoe[i - 1] + (cards < before ? 1 : 0);
      before = cards;
      worth[i] = expectation.of(Shoe.of(rules.decks()).without(seen.get(i)));
    }
    return new Sessions(seen.toArray(new int[0][]), shoe, worth);
  }

  /// Returns what bets earn in a hundred rounds, in units, and half of its 95 % interval. Rounds of
  /// one shoe depend on each other, so the interval is computed over shoes.
  Money money(double[] bets) {
    int shoes = shoe[shoe.length - 1] + 1;
    double[] sums = new double[shoes];
    double[] counts = new double[shoes];
    for (int i = 0; i < bets.length; i++) {
      sums[shoe[i]] += bets[i] * worth[i];
      counts[shoe[i]]++;
    }
    double mean = Table.mean(sums) / Table.mean(counts);
    double squares = 0;
    for (int s = 0; s < shoes; s++) {
      squares += Math.pow(sums[s] - mean * counts[s], 2);
    }
    double error = Math.sqrt(squares) / bets.length;
    return new Money(100 * mean, 196 * error);
  }

  /// @param perHundred units in a hundred rounds
  /// @param half half of the 95 % interval
  record Money(double perHundred, double half) {}
}
