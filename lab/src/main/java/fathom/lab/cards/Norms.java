package fathom.lab.cards;

import fathom.DType;
import fathom.Layer;
import fathom.Param;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.lab.instrument.LinearProbe;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.nn.BatchNorm;
import fathom.nn.Bias;
import fathom.nn.Chain;
import fathom.nn.Dense;
import fathom.nn.Identity;
import fathom.nn.Init;
import fathom.nn.LayerNorm;
import fathom.nn.RmsNorm;
import fathom.nn.WithMoments;
import fathom.report.Scale;

/// Measures what linear probes can read of the cards behind each kind of norm. Source of the claim:
/// a reader's objection to layer normalization, and the theorem that LN(a) = LN(a') if and only if
/// a' = αa + β1 with a positive α; row 46 of the project's list of claims.
///
/// The layer of `cards-layer-mean`, a = Wx, is followed by a norm, and the probes read the norm's
/// units. Layer norm is used without ε, so that LN(cWx) = LN(Wx) is exact for positive c: of Wx
/// without a bias it keeps the direction, and the number of cards was the length. With a bias the
/// norm gives LN(Wx + b), whose direction turns as x grows and so tells how long x is. Here b is
/// drawn with standard deviation 1, about that of a.
///
/// The gap of scale twins is max |f(2x) − f(x)| over all units and shoes. It is 0 where the norm
/// cannot distinguish twice the cards from the cards.
///
/// The experiment does not show whether a net learns such a bias; `cards-value` measures that.
final class Norms implements Experiment {
  @Override
  public Statement statement() {
    return new Statement(
        "cards-norms",
        "Which norms wipe out how many cards have been seen?",
        "Layer norm and RMS norm do if nothing constant comes in before them; a bias before the"
            + " norm brings nearly all of it back, and batch norm takes nothing.",
        "a reader's objection to layer normalization; the theorem LN(a) = LN(a') if and only if"
            + " a' = αa + β1 with α > 0; row 46",
        "3 s");
  }

  private record Arm(String name, Layer norm, Bound tens, Bound gap) {}

  @Override
  public void observe(Size size, long seed, Notebook note) {
    var data =
        Depleted.of(
            RandomKey.of(seed, "depleted"), LayerMean.DECKS, size.of(400, 4000, 20_000), 20, 234);
    int width = LayerMean.WIDTH;
    Bound kept = Bound.atLeast(0.99);
    Bound twins = Bound.atMost(1e-10);
    try (var _ = Scope.open()) {
      Layer layerNorm = LayerNorm.plain(width).withEpsilon(0);
      Bias bias =
          new Bias(Param.of(Tensor.normal(RandomKey.of(seed, "bias"), DType.FLOAT64, width)));
      Arm[] arms = {
        new Arm("no norm", new Identity(), kept, Bound.NONE),
        new Arm("batch norm", BatchNorm.of(width), kept, Bound.NONE),
        new Arm("layer norm", layerNorm, Bound.atMost(0.6), twins),
        new Arm(
            "layer norm behind a bias", Chain.of(bias, layerNorm), Bound.atLeast(0.97), Bound.NONE),
        new Arm("RMS norm", RmsNorm.plain(width).withEpsilon(0), Bound.NONE, twins),
        new Arm(
            "layer norm with its moments",
            new WithMoments(LayerNorm.plain(width).withEpsilon(0)),
            Bound.NONE,
            Bound.NONE),
        new Arm(
            "layer norm with reference units",
            Chain.of(new References(), LayerNorm.plain(width + 2).withEpsilon(0)),
            Bound.NONE,
            Bound.NONE)
      };
      Layer dense = Dense.withoutBias(Init.he(seed), "probe", 10, width);
      in64(dense);
      Tensor x = data.inputs(DType.FLOAT64);
      Tensor a = dense.predict(x);
      Tensor twice = dense.predict(x.times(2));
      String[] names = {"tens", "all cards", "running count", "true count"};
      double[][] targets = {data.tens(), data.total(), data.running(), data.trueCount()};
      for (Arm arm : arms) {
        note.alive();
        in64(arm.norm);
        Tensor z = arm.norm.forward(a).value();
        double[][] rows = Table.rows(z);
        double[] r2 = new double[names.length];
        double[] at = new double[names.length];
        for (int t = 0; t < names.length; t++) {
          r2[t] = LinearProbe.r2(rows, targets[t]);
          at[t] = t + 1;
          note.measure(
              "%s, R² of %s".formatted(arm.name, names[t]), r2[t], t == 0 ? arm.tens : Bound.NONE);
        }
        double gap = 0;
        double[] one = z.toDoubles();
        double[] two = arm.norm.forward(twice).value().toDoubles();
        for (int i = 0; i < one.length; i++) {
          gap = Math.max(gap, Math.abs(two[i] - one[i]));
        }
        if (!arm.name.equals("batch norm")) { // batch norm has the statistics of each batch here
          note.measure(arm.name + ", gap of scale twins", gap, arm.gap);
        }
        note.curve(
            "What a linear probe reads behind the norm",
            "1 tens, 2 all cards, 3 running count, 4 true count",
            "R²",
            Scale.LINEAR,
            arm.name,
            at,
            r2);
      }
    }
  }

  static void in64(Layer layer) {
    layer.state().values().forEach(p -> p.convert(DType.FLOAT64));
  }
}
