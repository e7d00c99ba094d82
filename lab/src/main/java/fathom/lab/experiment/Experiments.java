package fathom.lab.experiment;

import fathom.lab.cards.CardExperiments;
import fathom.lab.draw.DrawExperiments;
import fathom.lab.edges.EdgeExperiments;
import fathom.lab.layernorm.LayerNormExperiments;
import fathom.lab.ledger.Experiment;
import fathom.lab.scale.ScaleExperiments;
import java.util.List;
import java.util.stream.Stream;

/// All experiments: those of depth, of which a new one is a file and a line here, and those of the
/// other rooms.
public final class Experiments {
  private Experiments() {}

  /// In the order in which they tell the story.
  public static List<Experiment> all() {
    return Stream.of(
            depth(),
            LayerNormExperiments.all(),
            DrawExperiments.all(),
            CardExperiments.all(),
            EdgeExperiments.all(),
            ScaleExperiments.all())
        .flatMap(List::stream)
        .toList();
  }

  /// Why plain nets cannot be deep.
  private static List<Experiment> depth() {
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
