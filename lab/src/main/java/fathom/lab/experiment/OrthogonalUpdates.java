package fathom.lab.experiment;

import fathom.FlatParams;
import fathom.Layer;
import fathom.Param;
import fathom.Scope;
import fathom.Tensor;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.optim.Sgd;
import fathom.report.Scale;
import java.util.ArrayList;
import java.util.List;

/// Measures whether orthogonalised updates do for a plain net what a shortcut does. Source of the
/// claim: Huang 2026 ("Muon as a residual connection", 2607.01124), which shows it for linear
/// problems; the update is that of Jordan et al. 2024; row 61 of the project's list of claims.
///
/// The update of a hidden matrix is its momentum with all singular values brought near 1, by five
/// steps of the Newton-Schulz iteration X ← aX + (bXXᵀ + c(XXᵀ)²)X. So a step turns all directions
/// of the matrix by equal amounts, however few of them the gradient has. All other parameters are
/// trained by SGD as in the other arms. SGD has the better of two learning rates. That of the
/// orthogonalised updates was chosen in a pilot with seed 11, in which none of 0.003 to 0.1 brought
/// plain-20 below 0.9 of SGD's error.
///
/// The experiment does not show how such updates compare in nets that SGD trains well.
final class OrthogonalUpdates implements Experiment {
  private static final double MOMENTUM = 0.95;

  /// The relative length of a step: the update is this times a matrix of singular values near 1.
  private static final double TURN = 0.02;

  @Override
  public Statement statement() {
    return new Statement(
        "orthogonal-updates",
        "Can the optimizer replace the shortcut?",
        "With orthogonalised updates a plain net of 20 layers ends at half the training error of"
            + " SGD, or less.",
        "Huang 2026 (2607.01124), Jordan et al. 2024 (Muon); row 61",
        "60 s");
  }

  @Override
  public void observe(Size size, long seed, Notebook note) {
    Mixture data = Mixture.of(seed, "train", size.of(256, 2048, 8192));
    int width = size.of(8, 48, 48);
    int epochs = size.of(1, 8, 8);
    double[] depths = {size.of(4, 20, 20), size.of(8, 56, 56)};
    double[] sgd = new double[depths.length];
    double[] orthogonal = new double[depths.length];
    for (int i = 0; i < depths.length; i++) {
      var shape = DeepNet.plain(data.features(), width, (int) depths[i]);
      double fast = error(shape, new Training(0.1, epochs), data, seed, note);
      double slow = error(shape, new Training(0.02, epochs), data, seed, note);
      sgd[i] = Double.isNaN(fast) || slow < fast ? slow : fast;
      note.measure(shape.name() + ", SGD, training error, %", sgd[i]);
      try (var _ = Scope.open()) {
        Layer net = shape.build(seed);
        var rule = new Rule(net);
        var training = new Training(0.1, epochs);
        boolean finite = training.run(net, rule::step, data, seed, note, new Training.Look() {});
        orthogonal[i] = finite ? Training.error(net, data) : Double.NaN;
      }
      note.measure(shape.name() + ", orthogonalised updates, training error, %", orthogonal[i]);
      note.measure(
          shape.name() + ", orthogonalised updates over SGD, training error",
          orthogonal[i] / sgd[i],
          i == 0 ? Bound.atMost(0.5) : Bound.NONE);
    }
    curve("SGD", depths, sgd, note);
    curve("orthogonalised updates", depths, orthogonal, note);
  }

  private static void curve(String arm, double[] depths, double[] errors, Notebook note) {
    note.curve(
        "Training error of plain nets", "layers", "error in %", Scale.LINEAR, arm, depths, errors);
  }

  private static double error(
      DeepNet shape, Training training, Mixture data, long seed, Notebook note) {
    try (var _ = Scope.open()) {
      return training.fit(shape.build(seed), data, seed, note);
    }
  }

  /// Orthogonalised updates of the square matrices, and SGD for the rest.
  private static final class Rule {
    private final List<Param> hidden;
    private final List<Tensor> velocities = new ArrayList<>();
    private final Sgd rest;

    Rule(Layer net) {
      this.hidden = net.params().stream().filter(Rule::isSquare).toList();
      hidden.forEach(param -> velocities.add(param.value().zerosLike()));
      this.rest =
          new Sgd(
              FlatParams.of(net.params().stream().filter(p -> !isSquare(p)).toList()), 0.9, 1e-4);
    }

    private static boolean isSquare(Param param) {
      var shape = param.value().shape();
      return shape.rank() == 2 && shape.size(0) == shape.size(1);
    }

    void step(double learningRate) {
      for (int i = 0; i < hidden.size(); i++) {
        try (var _ = Scope.open()) {
          Tensor g = hidden.get(i).grad();
          Tensor v = velocities.get(i);
          v.copy_(v.times(MOMENTUM).plus(g));
          Tensor ahead = g.plus(v.times(MOMENTUM)); // Nesterov's
          hidden.get(i).value().add_(orthogonal(ahead).times(-TURN));
          g.zero_();
        }
      }
      rest.step(learningRate);
    }
  }

  /// Returns a matrix with the singular vectors of `g` and singular values near 1, if those of `g`
  /// are not below a thousandth of its length.
  static Tensor orthogonal(Tensor g) {
    Tensor x = g.times(1 / (Math.sqrt(g.square().sum().item()) + 1e-30));
    for (int k = 0; k < 5; k++) {
      Tensor a = x.matmul(x.transpose());
      Tensor b = a.times(-4.7750).plus(a.matmul(a).times(2.0315));
      x = x.times(3.4445).plus(b.matmul(x));
    }
    return x;
  }
}
