package fathom.lab.experiment;

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
import fathom.nn.Relu;
import fathom.nn.Residual;
import fathom.nn.Watched;
import fathom.report.Scale;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.stream.IntStream;

/// Measures how the gradients of deep nets grow with the distance from the output, and how similar
/// the gradients of different inputs are. Sources of the claims: Yang et al. 2019; Balduzzi et al.
/// 2017, theorems 1 and 3; rows 18 to 20 of the project's list of claims.
///
/// The weights are random, the inputs Gaussian, and the numbers float64. For the cosines between
/// examples of a plain net, batch norm's statistics are constants, because otherwise each example's
/// gradient contains parts of all others.
///
/// The nets are untrained, so the experiment does not show how gradients change in training.
final class Shattering implements Experiment {
  @Override
  public Statement statement() {
    return new Statement(
        "shattering",
        "What happens to gradients in the backward pass through a deep plain net with batch norm?",
        "A plain net's gradients grow by √(π/(π−1)) = 1.2113 a layer, and those of two inputs"
            + " become orthogonal as 2^−L; in a residual net with small branches neither happens.",
        "Yang et al. 2019; Balduzzi et al. 2017, theorems 1 and 3; rows 18-20",
        "10 s");
  }

  private static final double RATE = Math.sqrt(Math.PI / (Math.PI - 1));

  @Override
  public void observe(Size size, long seed, Notebook note) {
    explosion(size, seed, note);
    int width = size.of(16, 512, 512);
    double[] depths = {1, 2, 4, 6};
    double[] cosines = new double[depths.length];
    for (int i = 0; i < depths.length; i++) {
      note.alive();
      int depth = (int) depths[i];
      cosines[i] = heldCosine(width, depth, seed);
      double expected = Math.pow(2, -depth);
      note.measure(
          "plain, gradient cosine, %s layers".formatted(depth),
          cosines[i],
          Bound.between(expected - 0.03, expected + 0.03));
    }
    note.curve(
        "Cosine between gradients of two inputs",
        "layers",
        "cosine",
        Scale.LOG,
        "plain",
        depths,
        cosines);
    int deep = size.of(4, 50, 50);
    note.measure(
        "residual, branch×0.1, gradient cosine, 50 layers",
        residualCosine(size.of(16, 256, 256), deep, 0.1, seed),
        Bound.atLeast(0.85));
    note.alive();
    note.measure(
        "residual, branch×1, gradient cosine, 50 layers",
        residualCosine(size.of(16, 256, 256), deep, 1, seed),
        Bound.atLeast(0.02));
  }

  private static void explosion(Size size, long seed, Notebook note) {
    int width = size.of(16, 256, 512);
    int depth = 32;
    try (var _ = Scope.open()) {
      var layers = new ArrayList<Layer>();
      for (int l = 0; l < depth; l++) {
        layers.add(Signals.dense(width, seed, l));
        layers.add(Signals.batchNorm(width));
        layers.add(new Relu());
      }
      double[] logs = new double[depth];
      var net =
          Watched.leaves(
              Chain.of(layers.toArray(Layer[]::new)),
              new Watched.Observer() {
                @Override
                public void cotangent(String path, Layer layer, Tensor dy) {
                  if (layer instanceof Relu) {
                    logs[Integer.parseInt(path) / 3] = Math.log(Rows.norm(dy));
                  }
                }
              });
      Signals.gradient(net, width, size.of(16, 128, 256), seed);
      double mean = Arrays.stream(logs).average().orElse(Double.NaN);
      double top = 0;
      double bottom = 0;
      for (int l = 0; l < depth; l++) {
        double x = l - (depth - 1) / 2.0;
        top += x * (logs[l] - mean);
        bottom += x * x;
      }
      note.measure(
          "plain, growth of the gradient a layer",
          Math.exp(-top / bottom),
          Bound.between(RATE * 0.98, RATE * 1.02));
      note.curve(
          "Gradient norm at each layer's value",
          "layer, from the input on",
          "‖dE/dh‖",
          Scale.LOG,
          "plain",
          IntStream.rangeClosed(1, depth).asDoubleStream().toArray(),
          Arrays.stream(logs).map(Math::exp).toArray());
    }
  }

  /// Returns the mean cosine between gradients for constant statistics, which are measured layer by
  /// layer.
  private static double heldCosine(int width, int depth, long seed) {
    try (var _ = Scope.open()) {
      Tensor x = Signals.inputs(width, 128, seed);
      Tensor h = x;
      var layers = new ArrayList<Layer>();
      for (int l = 0; l < depth; l++) {
        Layer dense = Signals.dense(width, seed, l);
        Tensor a = dense.predict(h);
        Tensor mean = a.mean(0);
        Tensor reciprocal =
            Tensor.scalar(DType.FLOAT64, 1).dividedBy(a.minus(mean).square().mean(0).sqrt());
        layers.add(dense);
        layers.add(new Held(mean, reciprocal));
        layers.add(new Relu());
        h = a.minus(mean).times(reciprocal).relu();
      }
      return Rows.cosine(
          Signals.gradient(Chain.of(layers.toArray(Layer[]::new)), width, 128, seed));
    }
  }

  /// The layer y = (x − mean)·reciprocal with constant statistics.
  private record Held(Tensor mean, Tensor reciprocal) implements Layer {
    @Override
    public Traced forward(Tensor x) {
      try (var scope = Scope.open()) {
        return new Traced(scope.keep(x.minus(mean).times(reciprocal)), dy -> dy.times(reciprocal));
      }
    }
  }

  private static double residualCosine(int width, int depth, double factor, long seed) {
    try (var _ = Scope.open()) {
      var layers = new ArrayList<Layer>();
      for (int l = 0; l < depth; l++) {
        layers.add(
            new Residual(
                Chain.of(
                    Signals.batchNorm(width),
                    new Relu(),
                    Signals.dense(width, seed, l),
                    new Scaled(factor))));
      }
      return Rows.cosine(
          Signals.gradient(Chain.of(layers.toArray(Layer[]::new)), width, 128, seed));
    }
  }
}
