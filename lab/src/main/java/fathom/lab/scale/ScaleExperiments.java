package fathom.lab.scale;

import fathom.lab.ledger.Experiment;
import java.util.List;

/// The experiments on the lengths of normalised weights, the short proof. A new experiment is a
/// class and a line here.
public final class ScaleExperiments {
  private ScaleExperiments() {}

  /// Returns the experiments in the order in which they are best read.
  public static List<Experiment> all() {
    return List.of(
        new ZeroReturn(),
        new GrowthLaw(),
        new NormGrowth(),
        new ScaledTwins(),
        new DecayTimesRate(),
        new EarlyStopping(),
        new FisherHalfOrQuarter(),
        new FinalGradients(),
        new LearningRates());
  }
}
