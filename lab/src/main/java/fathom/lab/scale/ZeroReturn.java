package fathom.lab.scale;

import fathom.DType;
import fathom.Layer;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.Traced;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.nn.Chain;
import fathom.nn.Tanh;
import fathom.report.Scale;

/// Measures what a loss returns for making a normalised weight longer, for one layer and the loss
/// L(W) = Σ c·tanh(norm(x·Wᵀ)) with the gradient G by W, in float64. Source of the claim: Ba et al.
/// 2016, section 5.2.2, by elementary means; rows 40 and 41 of the project's list of claims, and I1
/// to I7 of its section 3.3.
///
/// L(aW) = L(W) for all positive a. Its derivative by a at 1 is ⟨G, W⟩ = 0; its derivative by W is
/// a·G(aW) = G(W), and the next one a²·H(aW) = H(W). With ε inside the root, L(aW; a²ε) = L(W; ε),
/// and the derivative by a is ⟨G, W⟩ = −2ε·∂L/∂ε.
///
/// The identities hold at single points; the experiment does not show what follows from them in
/// training, which the other experiments of this package measure.
final class ZeroReturn implements Experiment {
  @Override
  public Statement statement() {
    return new Statement(
        "zero-return",
        "What does a loss return for making a normalised weight longer?",
        "Nothing, and its gradient shrinks as 1/length and its curvature as 1/length²: for the"
            + " whole matrix under layer and RMS norm, for each row under batch and weight norm;"
            + " what an ε returns is −2ε·∂L/∂ε.",
        "Ba et al. 2016, section 5.2.2, by elementary means; rows 40 and 41",
        "1 s");
  }

  private static final int CASES = 10;
  private static final int INPUTS = 6;
  private static final double FACTOR = 3;

  /// The loss of a layer of one kind with drawn inputs, as a function of W.
  record Loss(Kind kind, int units, long seed) {
    /// The loss at W, and its gradient G.
    record Point(double loss, Tensor gradient) {}

    Tensor normal(String what, long... shape) {
      return Tensor.normal(RandomKey.of(seed, "zero return " + what), DType.FLOAT64, shape);
    }

    Tensor weights() {
      return normal("w", units, INPUTS).times(kind.size());
    }

    Point at(Tensor weights, double epsilon) {
      Layer normed = kind.over(weights, epsilon, seed);
      Layer layer = Chain.of(normed, new Tanh());
      Traced traced = layer.forward(normal("x", CASES, INPUTS).plus(0.5));
      Tensor c = normal("c", CASES, units);
      traced.back(c);
      return new Point(traced.value().times(c).sum().item(), Kind.weight(normed).grad());
    }

    Tensor gradient(Tensor weights) {
      return at(weights, 0).gradient;
    }

    /// Returns H(W)·v by central differences of gradients.
    Tensor curvature(Tensor weights, Tensor v) {
      double h = 1e-5 * kind.size();
      return gradient(weights.plus(v.times(h)))
          .minus(gradient(weights.plus(v.times(-h))))
          .times(1 / (2 * h));
    }
  }

  @Override
  public void observe(Size size, long seed, Notebook note) {
    int units = size.of(8, 32, 128);
    for (Kind kind : Kind.values()) {
      note.alive();
      try (var _ = Scope.open()) {
        measure(new Loss(kind, units, seed), note);
      }
    }
    for (Kind kind : new Kind[] {Kind.LAYER, Kind.RMS}) {
      try (var _ = Scope.open()) {
        epsilon(new Loss(kind, units, seed), note);
      }
    }
  }

  private static void measure(Loss loss, Notebook note) {
    String name = loss.kind.words;
    Tensor w = loss.weights();
    Tensor g = loss.gradient(w);
    note.measure(name + ", ‖G‖·‖W‖", norm(g) * norm(w));
    note.measure(
        name + ", return for the length of W, |⟨G, W⟩|",
        Math.abs(g.times(w).sum().item()),
        Bound.atMost(1e-8));
    note.measure(
        name + ", largest return for the length of a row, |⟨gᵢ, wᵢ⟩|",
        largest(g.times(w).sum(1)),
        loss.kind.ofRows ? Bound.atMost(1e-8) : Bound.atLeast(1e-2));
    note.measure(
        name + ", largest return for a move of all rows, |1ᵀG|",
        largest(g.sum(0)) * loss.kind.size(),
        loss.kind == Kind.LAYER ? Bound.atMost(1e-8) : Bound.atLeast(1e-2));
    note.measure(
        name + ", 3·G(3W) against G(W), largest relative difference",
        largest(loss.gradient(w.times(FACTOR)).times(FACTOR).minus(g)) / largest(g),
        Bound.atMost(1e-7));
    Tensor v = loss.normal("v", loss.units, INPUTS);
    Tensor hv = loss.curvature(w, v);
    note.measure(
        name + ", 9·H(3W)·v against H(W)·v, largest relative difference",
        largest(loss.curvature(w.times(FACTOR), v).times(FACTOR * FACTOR).minus(hv)) / largest(hv),
        Bound.atMost(1e-7));
    double[] x = new double[7];
    double[] y = new double[7];
    for (int i = 0; i < x.length; i++) {
      x[i] = i - 3;
      y[i] = norm(loss.gradient(w.times(Math.pow(2, x[i])))) / norm(g);
    }
    note.curve(
        "Length of the gradient as the weights grow",
        "doublings of W",
        "‖G(aW)‖ / ‖G(W)‖",
        Scale.LOG,
        name,
        x,
        y);
  }

  /// Measures the return where ε is not negligible: ⟨G, W⟩ against −2ε·∂L/∂ε by central
  /// differences.
  private static void epsilon(Loss loss, Notebook note) {
    double epsilon = 0.05;
    double h = 1e-5;
    Tensor w = loss.weights();
    double returned = loss.at(w, epsilon).gradient.times(w).sum().item();
    double slope = (loss.at(w, epsilon + h).loss - loss.at(w, epsilon - h).loss) / (2 * h);
    String name = loss.kind.words + ", ε = 0.05, ";
    note.measure(name + "⟨G, W⟩", returned);
    note.measure(
        name + "⟨G, W⟩ + 2ε·∂L/∂ε, relative",
        Math.abs(returned + 2 * epsilon * slope) / Math.abs(returned),
        Bound.atMost(1e-5));
  }

  private static double norm(Tensor t) {
    return Math.sqrt(t.square().sum().item());
  }

  private static double largest(Tensor t) {
    double largest = 0;
    for (double v : t.toDoubles()) {
      largest = Math.max(largest, Math.abs(v));
    }
    return largest;
  }
}
