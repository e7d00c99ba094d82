package fathom.lab.scale;

import fathom.lab.ledger.Experiment;
import java.util.List;

/// The experiments of the short proof: a new one is a file and a line here.
public final class ScaleExperiments {
  private ScaleExperiments() {}

  /// In the order in which they tell the story.
  public static List<Experiment> all() {
    return List.of(
        new ZeroReturn(),
        new GrowthLaw(),
        new NormGrowth(),
        new ScaledTwins(),
        new DecayTimesRate(),
        new EarlyStopping(),
        new FisherHalfOrQuarter());
  }
}
