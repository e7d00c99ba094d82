package fathom.lab.cards;

import fathom.lab.ledger.Experiment;
import java.util.List;

/// The experiments of this room.
public final class CardExperiments {
  private CardExperiments() {}

  /// In the order in which they tell the story.
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
