package fathom.lab.experiment;

import fathom.FlatParams;
import fathom.Layer;
import fathom.Scope;
import fathom.Tensor;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.nn.Chain;
import fathom.nn.Relu;
import fathom.nn.Residual;
import fathom.optim.Sgd;
import fathom.report.Scale;
import java.util.ArrayList;
import java.util.Arrays;

/// Measures how near stacks of products and rectifiers come to the identity, with a shortcut around
/// the stack and without. Source of the claim: He et al. 2016, section 3.1, with a threshold of
/// this project that was set before the first run.
///
/// The inputs are 256 Gaussian points in full batches, for 300 steps with momentum 0.9 at size
/// quick. Each stack has the best of three learning rates: with 0.01 alone, 16 layers diverged for
/// one of three seeds with the shortcut and without, which tells nothing about the shortcut.
///
/// Behind a shortcut a deep stack may output exactly zero, when all units of a layer have died: the
/// error is then 0 and the quotient infinite. This is the paper's argument in its simplest form,
/// and does not show how well such a net would learn anything else.
final class IdentityOrZero implements Experiment {
  @Override
  public Statement statement() {
    return new Statement(
        "identity-or-zero",
        "Is it easier for layers to learn nothing than to learn to pass their input on?",
        "Layers behind a shortcut, which need only learn zero, come to the identity ten times nearer in"
            + " the same steps than layers without one.",
        "He et al. 2016, section 3.1; threshold of this project, set before the first run",
        "10 s");
  }

  private static final int WIDTH = 32;
  private static final int POINTS = 256;

  @Override
  public void observe(Size size, long seed, Notebook note) {
    int steps = size.of(5, 300, 3000);
    int[] depths = {2, 4, 8, 16};
    for (boolean shortcut : new boolean[] {false, true}) {
      String kind = shortcut ? "with a shortcut" : "without";
      double[] errors = new double[depths.length];
      for (int i = 0; i < depths.length; i++) {
        errors[i] = error(shortcut, depths[i], steps, seed, note);
        note.measure("%s, %s layers, relative squared error".formatted(kind, depths[i]), errors[i]);
      }
      note.curve(
          "Distance from the identity",
          "layers",
          "‖y − x‖² / ‖x‖²",
          Scale.LOG,
          kind,
          Arrays.stream(depths).asDoubleStream().toArray(),
          errors);
    }
    for (int depth : depths) {
      note.measure(
          "error without over error with a shortcut, %s layers".formatted(depth),
          note.value("without, %s layers, relative squared error".formatted(depth))
              / note.value("with a shortcut, %s layers, relative squared error".formatted(depth)),
          Bound.atLeast(10));
    }
  }

  private static double error(boolean shortcut, int depth, int steps, long seed, Notebook note) {
    return Arrays.stream(new double[] {0.01, 0.003, 0.001})
        .map(learningRate -> error(shortcut, depth, steps, learningRate, seed, note))
        .filter(Double::isFinite)
        .min()
        .orElse(Double.NaN);
  }

  private static double error(
      boolean shortcut, int depth, int steps, double learningRate, long seed, Notebook note) {
    try (var _ = Scope.open()) {
      var layers = new ArrayList<Layer>();
      for (int l = 0; l < depth; l++) {
        layers.add(Signals.dense(WIDTH, seed, l));
        if (l < depth - 1) {
          layers.add(new Relu());
        }
      }
      Layer stack = Chain.of(layers.toArray(Layer[]::new));
      Layer net = shortcut ? new Residual(stack) : stack;
      var sgd = new Sgd(FlatParams.of(net.params()), 0.9, 0);
      Tensor x = Signals.inputs(WIDTH, POINTS, seed);
      for (int step = 0; step < steps; step++) {
        note.alive();
        try (var _ = Scope.open()) {
          var y = net.forward(x);
          y.accumulate(y.value().minus(x).times(1.0 / POINTS)); // of half the mean square
          sgd.step(learningRate);
        }
      }
      return net.predict(x).minus(x).square().sum().item() / x.square().sum().item();
    }
  }
}
