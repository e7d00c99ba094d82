package fathom.lab.cards;

import fathom.DType;
import fathom.Layer;
import fathom.RandomKey;
import fathom.Scope;
import fathom.lab.instrument.LinearProbe;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.nn.Dense;
import fathom.nn.Init;
import fathom.report.Scale;

/// Measures what the mean of a layer tells about the cards seen. Source of the claim: a reader's
/// objection to layer normalization, row 45 of the project's list of claims.
///
/// The layer is a = Wx with 64 units and random weights of He's distribution; x is the part of each
/// rank's cards that is gone from six decks. For each quantity, a linear probe reads it from the
/// mean, the standard deviation, both, or the whole of a, and the result is the probe's R².
///
/// The layer is untrained, so the experiment does not show what a trained layer's mean tells;
/// `cards-value` measures that.
final class LayerMean implements Experiment {
  static final int WIDTH = 64;
  static final int DECKS = 6;

  @Override
  public Statement statement() {
    return new Statement(
        "cards-layer-mean",
        "Is the mean of a layer correlated with how many face cards it has seen?",
        "It is, because it tells how many cards have been seen at all; of the count, which says"
            + " whether the rest of the shoe is good, it tells nothing.",
        "a reader's objection to layer normalization"
            + " (docs/does-layer-norm-wipe-out-information.md); row 45",
        "2 s");
  }

  @Override
  public void observe(Size size, long seed, Notebook note) {
    var data =
        Depleted.of(RandomKey.of(seed, "depleted"), DECKS, size.of(400, 4000, 20_000), 20, 234);
    double[][] a;
    try (var _ = Scope.open()) {
      Layer layer = Dense.withoutBias(Init.he(seed), "probe", 10, WIDTH);
      layer.state().values().forEach(p -> p.convert(DType.FLOAT64));
      a = Table.rows(layer.predict(data.inputs(DType.FLOAT64)));
    }
    double[][] mean = Table.means(a);
    double[][] standardDeviation = Table.standardDeviations(a);
    String[] names = {"face cards", "tens", "all cards", "running count", "true count"};
    double[][] targets = {
      data.faceCards(), data.tens(), data.total(), data.running(), data.trueCount()
    };
    String[] parts = {"mean", "standard deviation", "both", "whole layer"};
    double[][][] features = {mean, standardDeviation, Table.beside(mean, standardDeviation), a};
    for (int p = 0; p < parts.length; p++) {
      double[] r2 = new double[names.length];
      double[] at = new double[names.length];
      for (int t = 0; t < names.length; t++) {
        note.alive();
        r2[t] = LinearProbe.r2(features[p], targets[t]);
        at[t] = t + 1;
        note.measure(
            "R² of %s from the %s".formatted(names[t], parts[p]), r2[t], bound(parts[p], names[t]));
      }
      note.curve(
          "What a linear probe reads from the layer",
          "1 face cards, 2 tens, 3 all cards, 4 running count, 5 true count",
          "R²",
          Scale.LINEAR,
          parts[p],
          at,
          r2);
    }
  }

  /// The two bounds of row 45, for the tens seen and for the running count.
  private static Bound bound(String part, String target) {
    if (part.equals("mean") && target.equals("tens")) {
      return Bound.atLeast(0.9);
    }
    return part.equals("mean") && target.equals("running count") ? Bound.atMost(0.05) : Bound.NONE;
  }
}
