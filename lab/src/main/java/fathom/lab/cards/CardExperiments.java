package fathom.lab.cards;

import fathom.lab.ledger.Experiment;
import java.util.List;

/// The experiments on nets that see the cards of a blackjack shoe.
public final class CardExperiments {
  private CardExperiments() {}

  /// Returns the experiments in the order in which they are best read.
  public static List<Experiment> all() {
    return List.of(
        new LayerMean(),
        new Norms(),
        new ReferenceUnits(),
        new CardsValue(),
        new CardsAgent(),
        new CardsPlay(),
        new CardsReader(),
        new CardsPooled());
  }
}
