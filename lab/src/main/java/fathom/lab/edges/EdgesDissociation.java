package fathom.lab.edges;

import fathom.Scope;
import fathom.Tensor;
import fathom.lab.instrument.LinearProbe;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.nn.Chain;
import fathom.nn.GlobalAveragePool;
import fathom.nn.Relu;
import fathom.report.Scale;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Measures what survives each norm: the contrast or the number of objects. Source of the claim: a
/// reader of Ba et al. 2016 ("layer normalization would wipe this out"), row 50 of the project's
/// list of claims.
///
/// The images have 1 to 8 objects, no noise, and each its own contrast c from 0.1 to 1. Linear
/// probes read two quantities from the rectified activations behind each norm, averaged over the
/// pixels: c·E, the number of outline pixels times the contrast, and k, the number of objects.
///
/// Filters without a bias map c·x to c·a, and layer norm maps c·a to the same as a (table 1 of the
/// paper: re-scaling of a single case), so that c is gone behind it. With a bias b, c·a + b has
/// another direction for each c.
///
/// The filters are random, so the experiment does not show what trained filters keep.
final class EdgesDissociation implements Experiment {
  @Override
  public Statement statement() {
    return new Statement(
        "edges-dissociation",
        "Does layer norm wipe out how much edge there is?",
        "Where the contrast is the signal, layer norm destroys it (R² from ≥ 0.95 to ≤ 0.45), and"
            + " a bias before the norm keeps it (≥ 0.95); where the contrast is a nuisance, layer"
            + " norm removes it (R² of the number of objects from ≤ 0.5 to ≥ 0.85).",
        "a reader of Ba et al. 2016: \"layer normalization would wipe this out\"; row 50",
        "5 s");
  }

  private static final Map<String, Bound> AMOUNT =
      Map.of(
          "no norm", Bound.atLeast(0.95),
          "layer norm", Bound.atMost(0.45),
          "bias, layer norm", Bound.atLeast(0.95));

  private static final Map<String, Bound> NUMBER =
      Map.of("no norm", Bound.atMost(0.5), "layer norm", Bound.atLeast(0.85));

  @Override
  public void observe(Size size, long seed, Notebook note) {
    List<Scene> scenes =
        Scenes.of(seed, "dissociation", 1, 8)
            .withFaintest(0.1)
            .withNoise(0)
            .take(size.of(40, 400, 2000));
    double[] amount = scenes.stream().mapToDouble(s -> s.contrast() * s.outlinePixels()).toArray();
    double[] number = scenes.stream().mapToDouble(Scene::objects).toArray();
    var amounts = new ArrayList<Double>();
    var numbers = new ArrayList<Double>();
    try (var _ = Scope.open()) {
      Tensor a = RandomFilters.filters(seed).predict(Scene.doubles(scenes));
      RandomFilters.norms(seed, scenes.getFirst().side())
          .forEach((name, norm) -> {
            note.alive();
            try (var _ = Scope.open()) {
              Tensor pooled =
                  Chain.of(norm, new Relu(), new GlobalAveragePool()).forward(a).value();
              double[][] features = RandomFilters.perImage(pooled);
              amounts.add(LinearProbe.r2(features, amount));
              numbers.add(LinearProbe.r2(features, number));
            }
            note.measure(
                name + ", R²(contrast × outline pixels)",
                amounts.getLast(),
                AMOUNT.getOrDefault(name, Bound.NONE));
            note.measure(
                name + ", R²(objects)", numbers.getLast(), NUMBER.getOrDefault(name, Bound.NONE));
          });
    }
    curve("contrast × outline pixels", amounts, note);
    curve("objects", numbers, note);
  }

  private static void curve(String target, List<Double> r2, Notebook note) {
    double[] x = new double[r2.size()];
    double[] y = new double[r2.size()];
    for (int i = 0; i < x.length; i++) {
      x[i] = i + 1.0;
      y[i] = Math.max(0, r2.get(i)); // a value below 0 says no more than 0
    }
    note.curve(
        "What survives each norm",
        "1 none, 2 layer, 3 bias + layer, 4 position, 5 bias + position, 6 RMS, 7 bias + RMS, 8"
            + " batch",
        "R² on images that were not seen",
        Scale.LINEAR,
        target,
        x,
        y);
  }
}
