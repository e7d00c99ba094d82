package fathom.lab.experiment;

import fathom.lab.ledger.Experiment;
import java.util.List;

/// All experiments: a new one is a file and a line here.
public final class Experiments {
  private Experiments() {}

  /// In the order in which they tell the story.
  public static List<Experiment> all() {
    return List.of(
        new Degradation(),
        new ConvDegradation(),
        new MoreIterations(),
        new HealthyGradients(),
        new LayerResponses(),
        new PublishedNets(),
        new Shattering(),
        new Collapse(),
        new Stretching(),
        new ConvergenceRate(),
        new Surfaces(),
        new DeepProduct(),
        new ShortcutScale(),
        new Spans(),
        new SingleLayer(),
        new IdentityOrZero(),
        new Appended(),
        new Cures(),
        new TailoredActivations(),
        new WarmUp(),
        new BadScale(),
        new Lesions(),
        new PublishedLesions(),
        new PublishedPaths());
  }
}
