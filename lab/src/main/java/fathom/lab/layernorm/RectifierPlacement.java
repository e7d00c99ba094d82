package fathom.lab.layernorm;

import fathom.DType;
import fathom.Layer;
import fathom.Scope;
import fathom.Tensor;
import fathom.Traced;
import fathom.lab.instrument.Rows;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.nn.Chain;
import fathom.nn.Init;
import fathom.nn.LayerNorm;
import fathom.nn.Relu;
import fathom.report.Scale;
import java.util.Arrays;

/// Measures whether layer norm stands better before or behind the rectifier. Source: Ba et al.
/// 2016, eq. 3, for the order; row 52 of the project's list of claims for the effects.
///
/// The nets are random and plain with 20 layers in float64: one with the paper's order, rectifier
/// behind layer norm, and one with layer norm behind the rectifier, on the same weights and inputs.
///
/// A rectifier maps the cosine c of two inputs to J(c) above c, with slope 1 at c = 1, so that all
/// inputs become one. Centring behind it removes what the inputs share: the map is (J(c) − 1/π)/(1
/// − 1/π), where 1/π is J(0), and its slope at 1 is π/(π − 1). It keeps inputs apart, and gradients
/// grow by the root of the slope in every layer. Batch norm does the same, but with a batch.
///
/// The nets are untrained, so the experiment does not show which order trains better.
final class RectifierPlacement implements Experiment {
  @Override
  public Statement statement() {
    return new Statement(
        "norm-placement",
        "Does it matter whether layer norm stands before or behind the rectifier?",
        "Before it, 20 layers give all inputs one direction and gradients keep their length; behind"
            + " it, inputs stay apart and gradients grow by √(π/(π−1)) = 1.2113 a layer, as with"
            + " batch norm.",
        "Ba et al. 2016, eq. 3, for the order; row 52",
        "10 s");
  }

  private static final int COUNT = 64;

  /// A product with weights that are not trained.
  private record Product(Tensor weights) implements Layer {
    @Override
    public Traced forward(Tensor x) {
      return new Traced(x.matmul(weights.transpose()), dy -> dy.matmul(weights));
    }
  }

  /// The mean cosine between the activations of two inputs after each layer, and the length of the
  /// gradient before it.
  private record Through(double[] cosines, double[] gradients) {
    /// Returns the growth of the gradient per layer, without the first layer. The first layer's
    /// inputs are no outputs of a rectifier, whose mean square is 1/2, so it shortens gradients by
    /// √2 once, which over 20 layers would appear as a growth of 0.98.
    double growth() {
      int depth = gradients.length - 1;
      return Math.pow(gradients[1] / gradients[depth], 1.0 / (depth - 1));
    }
  }

  @Override
  public void observe(Size size, long seed, Notebook note) {
    int width = size.of(32, 1024, 1024);
    int depth = size.of(4, 20, 20);
    try (var _ = Scope.open()) {
      var weights = new Tensor[depth];
      for (int l = 0; l < depth; l++) {
        note.alive();
        weights[l] = Init.he(seed).weights("layer" + l, width, width, width).to(DType.FLOAT64);
      }
      Through before = through(weights, width, true, seed, note);
      Through behind = through(weights, width, false, seed, note);
      note.measure(
          "norm before the rectifier, cosine of two inputs behind the last layer",
          before.cosines[depth],
          Bound.atLeast(0.9));
      note.measure(
          "norm before the rectifier, growth of the gradient a layer",
          before.growth(),
          Bound.between(0.98, 1.02));
      note.measure(
          "norm behind the rectifier, |cosine| of two inputs behind the last layer",
          Math.abs(behind.cosines[depth]),
          Bound.atMost(0.1));
      note.measure(
          "norm behind the rectifier, growth of the gradient a layer",
          behind.growth(),
          Bound.between(1.2112 * 0.98, 1.2112 * 1.02));
      curves("norm before the rectifier", before, note);
      curves("norm behind the rectifier", behind, note);
    }
  }

  private static void curves(String name, Through through, Notebook note) {
    double[] layers = new double[through.cosines.length];
    Arrays.setAll(layers, l -> l);
    note.curve(
        "Cosine of two inputs", "layer", "cosine", Scale.LINEAR, name, layers, through.cosines);
    note.curve(
        "Length of the gradient", "layer", "‖dE/dh‖", Scale.LOG, name, layers, through.gradients);
  }

  private static Through through(
      Tensor[] weights, int width, boolean normFirst, long seed, Notebook note) {
    int depth = weights.length;
    double[] cosines = new double[depth + 1];
    double[] gradients = new double[depth + 1];
    try (var _ = Scope.open()) {
      Layer norm = LayerNorm.plain(width).withEpsilon(0);
      Tensor h = Doubles.normal(seed, "inputs", COUNT, width);
      cosines[0] = Rows.cosine(h);
      var traced = new Traced[depth];
      for (int l = 0; l < depth; l++) {
        note.alive();
        var product = new Product(weights[l]);
        Layer layer =
            normFirst ? Chain.of(product, norm, new Relu()) : Chain.of(product, new Relu(), norm);
        traced[l] = layer.forward(h);
        h = traced[l].value();
        cosines[l + 1] = Rows.cosine(h);
      }
      Tensor d = Doubles.normal(seed, "cotangents", COUNT, width);
      gradients[depth] = Rows.norm(d);
      for (int l = depth - 1; l >= 0; l--) {
        note.alive();
        d = traced[l].back(d);
        gradients[l] = Rows.norm(d);
      }
    }
    return new Through(cosines, gradients);
  }
}
