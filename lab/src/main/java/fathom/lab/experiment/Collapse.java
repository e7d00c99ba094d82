package fathom.lab.experiment;

import fathom.Layer;
import fathom.Scope;
import fathom.Tensor;
import fathom.lab.instrument.Rows;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.nn.Identity;
import fathom.nn.LayerNorm;
import fathom.report.Scale;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/// Measures the mean cosine between the activations of 128 Gaussian inputs, layer by layer, in
/// plain nets of 50 layers in float64. Source of the claim: Daneshmand et al. 2020, row 21 of the
/// project's list of claims.
///
/// The nets are untrained and have no shortcuts, so the experiment does not show how they learn,
/// nor what shortcuts change.
final class Collapse implements Experiment {
  @Override
  public Statement statement() {
    return new Statement(
        "collapse",
        "What becomes of two different inputs in a deep net at its start?",
        "Without batch norm, a plain net of 50 layers gives all inputs nearly one direction, with"
            + " layer norm too; with batch norm it does not.",
        "Daneshmand et al. 2020; row 21",
        "5 s");
  }

  @Override
  public void observe(Size size, long seed, Notebook note) {
    int width = size.of(16, 256, 512);
    int depth = size.of(4, 50, 50);
    measure("no norm", _ -> new Identity(), Bound.atLeast(0.95), width, depth, seed, note);
    measure(
        "layer norm",
        w -> Signals.doubles(LayerNorm.of(w)),
        Bound.atLeast(0.95),
        width,
        depth,
        seed,
        note);
    measure("batch norm", Signals::batchNorm, Bound.atMost(0.45), width, depth, seed, note);
  }

  private static void measure(
      String name,
      IntFunction<Layer> norm,
      Bound bound,
      int width,
      int depth,
      long seed,
      Notebook note) {
    note.alive();
    try (var _ = Scope.open()) {
      Tensor h = Signals.inputs(width, 128, seed);
      double[] cosines = new double[depth];
      for (int l = 0; l < depth; l++) {
        h = norm.apply(width).forward(Signals.dense(width, seed, l).predict(h)).value().relu();
        cosines[l] = Rows.cosine(h);
      }
      note.measure(name + ", cosine between values of the last layer", cosines[depth - 1], bound);
      note.curve(
          "Cosine between the values of two inputs",
          "layer",
          "cosine",
          Scale.LINEAR,
          name,
          IntStream.rangeClosed(1, depth).asDoubleStream().toArray(),
          cosines);
    }
  }
}
