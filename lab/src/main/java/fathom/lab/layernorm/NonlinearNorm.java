package fathom.lab.layernorm;

import fathom.DType;
import fathom.FlatParams;
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
import fathom.loss.CrossEntropy;
import fathom.nn.Chain;
import fathom.nn.Dense;
import fathom.nn.Init;
import fathom.nn.LayerNorm;
import fathom.optim.Adam;
import fathom.report.Scale;
import java.util.ArrayList;
import java.util.Arrays;

/// Measures whether linear layers with layer norm between them fit random labels. Source of the
/// claim: after 2406.01255; row 54 of the project's list of claims.
///
/// Linear layers alone, however many, are one matrix, which cannot fit labels drawn at random for
/// more points than it has inputs. With layer norm between them, and no other non-linearity, they
/// can, because the division by a case's own standard deviation is not linear.
///
/// The experiment measures the training error only, and does not show how such a net generalises.
final class NonlinearNorm implements Experiment {
  @Override
  public Statement statement() {
    return new Statement(
        "nonlinear-norm",
        "Is layer norm a non-linearity?",
        "Linear layers with layer norm between them fit random labels, which linear layers alone"
            + " cannot.",
        "after 2406.01255; row 54; thresholds of the row",
        "20 s");
  }

  private static final int INPUTS = 16;
  private static final int CLASSES = 10;
  private static final double RATE = 0.003;

  @Override
  public void observe(Size size, long seed, Notebook note) {
    int count = size.of(32, 128, 256);
    int width = size.of(8, 64, 128);
    int steps = size.of(10, 1500, 6000);
    double linear = error(false, count, width, steps, seed, note);
    double normed = error(true, count, width, steps, seed, note);
    note.measure("linear layers, training error, %", linear, Bound.atLeast(30));
    note.measure("linear layers and layer norm, training error, %", normed, Bound.atMost(0));
  }

  private static double error(
      boolean normed, int count, int width, int steps, long seed, Notebook note) {
    try (var _ = Scope.open()) {
      var init = Init.he(seed);
      var layers = new ArrayList<Layer>();
      for (int l = 0; l < 4; l++) {
        layers.add(Dense.of(init, "layer" + l, l == 0 ? INPUTS : width, width));
        if (normed) {
          layers.add(LayerNorm.of(width));
        }
      }
      layers.add(Dense.of(init, "head", width, CLASSES));
      Layer net = Chain.of(layers.toArray(Layer[]::new));
      Tensor x = Tensor.normal(RandomKey.of(seed, "random points"), DType.FLOAT32, count, INPUTS);
      RandomKey key = RandomKey.of(seed, "random labels");
      int[] labels = new int[count];
      for (int i = 0; i < count; i++) {
        labels[i] = key.below(i, CLASSES);
      }
      var adam = Adam.of().over(FlatParams.of(net.params()), steps);
      int shown = 40;
      double[] at = new double[shown];
      double[] errors = new double[shown];
      int next = 0;
      for (int step = 0; step < steps; step++) {
        note.alive();
        try (var _ = Scope.open()) {
          Traced logits = net.forward(x);
          if (next < shown && step >= (long) steps * next / shown) {
            at[next] = next == 0 ? 0 : Math.max(step, at[next - 1] + 1);
            errors[next++] = 100.0 * CrossEntropy.errors(logits.value(), labels) / count;
          }
          Traced loss = CrossEntropy.of(logits.value(), labels);
          logits.accumulate(loss.back(Tensor.scalar(DType.FLOAT32, 1)));
          adam.step(RATE * (1 - (double) step / steps));
        }
      }
      note.curve(
          "Training error on random labels",
          "step",
          "error in %",
          Scale.LINEAR,
          normed ? "linear layers and layer norm" : "linear layers",
          Arrays.copyOf(at, next),
          Arrays.copyOf(errors, next));
      try (var _ = Scope.open()) {
        return 100.0 * CrossEntropy.errors(net.predict(x), labels) / count;
      }
    }
  }
}
