package fathom.lab.cards;

import fathom.blackjack.BasicStrategy;
import fathom.blackjack.Rules;
import fathom.blackjack.Strategy;

/// The game that the trained nets see: one deck, in which a count changes most.
final class OneDeck {
  static final Rules RULES = Rules.of(1);

  /// Basic strategy; it is computed once, because that takes a second.
  static final Strategy BASIC = BasicStrategy.of(RULES);

  private OneDeck() {}
}
