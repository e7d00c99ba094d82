package fathom.lab.experiment;

import fathom.lab.cards.CardExperiments;
import fathom.lab.draw.DrawExperiments;
import fathom.lab.edges.EdgeExperiments;
import fathom.lab.layernorm.LayerNormExperiments;
import fathom.lab.ledger.Experiment;
import fathom.lab.reading.ReadingExperiments;
import fathom.lab.scale.ScaleExperiments;
import java.util.List;
import java.util.stream.Stream;

/// The list of all experiments. A new experiment on depth is a class and a line here; the other
/// packages have lists of their own.
public final class Experiments {
  private Experiments() {}

  /// Returns the experiments in the order in which they are best read.
  public static List<Experiment> all() {
    return Stream.of(
            depth(),
            LayerNormExperiments.all(),
            ReadingExperiments.all(),
            DrawExperiments.all(),
            CardExperiments.all(),
            EdgeExperiments.all(),
            ScaleExperiments.all())
        .flatMap(List::stream)
        .toList();
  }

  /// Returns the experiments on why plain nets cannot be deep.
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
        new PublishedPaths(),
        new BothOrders(),
        new FunctionSpaces(),
        new ResidualAlignment(),
        new CurseOfDepth(),
        new OrthogonalUpdates(),
        new Conditioning());
  }
}
