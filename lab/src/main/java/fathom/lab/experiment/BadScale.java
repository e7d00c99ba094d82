package fathom.lab.experiment;

import fathom.Layer;
import fathom.Scope;
import fathom.lab.instrument.Rows;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.nn.Chain;
import fathom.nn.Identity;
import fathom.nn.LayerNorm;
import fathom.nn.Relu;
import fathom.nn.Sigmoid;
import fathom.nn.Tanh;
import fathom.report.Scale;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;

/// Measures what a wrong scale of the first weights does to a deep net, and how a norm changes
/// that. Source of the claim: Ba et al. 2016, section 5.1 and table 1, with thresholds of this
/// project that were set before the first run.
///
/// The nets have 20 layers with He's weights multiplied by 0.1, 1 and 10, in float64. A sigmoid
/// counts as saturated within 0.01 of an end of its range, and tanh within the same share of its
/// own range.
///
/// The nets are untrained, so the experiment does not show how they learn.
final class BadScale implements Experiment {
  @Override
  public Statement statement() {
    return new Statement(
        "bad-scale",
        "What does a wrong scale of the first weights do to a deep net, and what does a norm do"
            + " about it?",
        "Without a norm, weights ten times too large saturate sigmoid and tanh and make a rectifier"
            + " net's gradients explode; behind layer or batch norm the scale changes nothing.",
        "Ba et al. 2016, section 5.1 and table 1; thresholds of this project, set before the first"
            + " run",
        "5 s");
  }

  private static final double[] FACTORS = {0.1, 1, 10};

  private record Bend(String name, Layer layer, double low, double high, boolean saturates) {}

  @Override
  public void observe(Size size, long seed, Notebook note) {
    int width = size.of(8, 100, 300);
    int depth = size.of(3, 20, 20);
    double none = Double.POSITIVE_INFINITY; // a rectifier has no upper end
    var bends =
        List.of(
            new Bend("sigmoid", new Sigmoid(), 0.01, 0.99, true),
            new Bend("tanh", new Tanh(), -0.98, 0.98, true),
            new Bend("relu", new Relu(), -1, none, false));
    for (Bend bend : bends) {
      measure(bend, "none", _ -> new Identity(), width, depth, seed, note);
      measure(bend, "layer norm", w -> Signals.doubles(LayerNorm.of(w)), width, depth, seed, note);
      measure(bend, "batch norm", Signals::batchNorm, width, depth, seed, note);
    }
  }

  private static void measure(
      Bend bend,
      String norm,
      IntFunction<Layer> norms,
      int width,
      int depth,
      long seed,
      Notebook note) {
    note.alive();
    boolean normed = !norm.equals("none");
    double[] gradients = new double[FACTORS.length];
    double saturated = 0;
    for (int i = 0; i < FACTORS.length; i++) {
      try (var _ = Scope.open()) {
        var layers = new ArrayList<Layer>();
        for (int l = 0; l < depth; l++) {
          layers.add(Signals.dense(width, seed, l));
          layers.add(new Scaled(FACTORS[i]));
          layers.add(norms.apply(width));
          layers.add(bend.layer);
        }
        Layer net = Chain.of(layers.toArray(Layer[]::new));
        saturated =
            Rows.saturated(
                net.forward(Signals.inputs(width, 64, seed)).value(), bend.low, bend.high);
        gradients[i] = Math.log10(Rows.norm(Signals.gradient(net, width, 64, seed)));
      }
    }
    String name = bend.name + ", " + norm;
    if (bend.saturates) {
      note.measure(
          name + ", saturated share at ×10",
          saturated,
          normed ? Bound.atMost(0.05) : Bound.atLeast(0.5));
    }
    double change = Math.abs(gradients[2] - gradients[0]);
    note.measure(
        name + ", decades between the input gradients at ×10 and ×0.1",
        change,
        normed ? Bound.atMost(0.1) : bend.saturates ? Bound.NONE : Bound.atLeast(30));
    note.measure(name + ", decades of the input gradient at ×1", gradients[1]);
    note.curve(
        "Gradient by the input, " + bend.name,
        "decades of the weights' factor",
        "log₁₀ ‖dE/dx‖",
        Scale.LINEAR,
        norm,
        new double[] {-1, 0, 1},
        gradients);
  }
}
