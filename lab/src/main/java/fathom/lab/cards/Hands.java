package fathom.lab.cards;

import fathom.blackjack.Rules;
import fathom.blackjack.Shoe;
import fathom.blackjack.Simulator;
import fathom.blackjack.Strategy;

/// What somebody saw who sat at a table with one bet a round: the cards gone before each round, and
/// what the round came to. Nothing else is known to who learns from it.
///
/// @param inputs N×10, as [Depleted#inputs] has them
/// @param money of each round, in bets
record Hands(float[] inputs, float[] money) {
  static Hands of(Rules rules, Strategy strategy, long seed, int rounds) {
    float[] inputs = new float[rounds * Shoe.RANKS];
    float[] money = new float[rounds];
    float scale = 1f / (4 * rules.decks());
    int[] at = {0};
    Simulator.of(rules, strategy)
        .play(
            seed,
            rounds,
            (seen, m) -> {
              int i = at[0]++;
              for (int r = 0; r < Shoe.RANKS; r++) {
                inputs[i * Shoe.RANKS + r] = seen[r] * scale;
              }
              money[i] = (float) m;
            });
    return new Hands(inputs, money);
  }
}
