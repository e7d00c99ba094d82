package fathom.lab.cards;

import fathom.blackjack.Rules;
import fathom.blackjack.Shoe;
import fathom.blackjack.Simulator;
import fathom.blackjack.Strategy;

/// What a player sees at a table with a bet of 1 in every round: the cards gone before each round,
/// and the result of the round. A net that learns from it knows nothing else.
///
/// @param inputs N×10, as in [Depleted#inputs]
/// @param money the result of each round, in bets
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
