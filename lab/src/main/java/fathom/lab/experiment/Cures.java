package fathom.lab.experiment;

import fathom.Layer;
import fathom.Layer.Child;
import fathom.Param;
import fathom.Scope;
import fathom.Tensor;
import fathom.Traced;
import fathom.lab.instrument.Spectrum;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.nn.Bias;
import fathom.nn.Chain;
import fathom.nn.Dense;
import fathom.nn.Init;
import fathom.nn.Relu;
import fathom.nn.Residual;
import fathom.nn.Tanh;
import fathom.report.Scale;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/// Measures whether nets of 56 layers train without a norm, or without a shortcut. Sources of the
/// claims: De and Smith 2020 (SkipInit), Zhang et al. 2019 (Fixup), Saxe et al. 2014, Xiao et al.
/// 2018; rows 26 and 27 of the project's list of claims.
///
/// *Without a norm*, with shortcuts around two layers, there are three arms: no change; SkipInit, a
/// trained factor of each branch that starts at 0; and Fixup, in which the first product of each
/// branch starts √blocks times smaller and the second at zero, with biases and a trained factor.
///
/// *Without a shortcut and a norm*, tanh nets with orthogonal weights are compared with Gaussian
/// weights of the same mean square, 1/width, whose product keeps lengths only on average.
///
/// The nets are fully connected and learn Gaussian clusters; the experiment does not show that
/// these cures suffice for images, nor how well the nets generalise.
final class Cures implements Experiment {
  @Override
  public Statement statement() {
    return new Statement(
        "cures",
        "Can one do without the norm, or without the shortcut?",
        "A residual net of 56 layers trains without a norm if its branches start at zero; a plain"
            + " tanh net errs less than half as often if its weights start orthogonal.",
        "De and Smith 2020; Zhang et al. 2019 (Fixup); Saxe et al. 2014; Xiao et al. 2018; rows 26"
            + " and 27",
        "20 s");
  }

  @Override
  public void observe(Size size, long seed, Notebook note) {
    Mixture data = Mixture.of(seed, "train", size.of(256, 2048, 8192));
    int width = size.of(8, 48, 48);
    int depth = size.of(8, 56, 56);
    int blocks = depth / 2;
    var training = new Training(0.02, size.of(1, 20, 20));
    double bare = fit(init -> bare(init, width), width, blocks, training, data, seed, note);
    note.measure( // a loss that is not finite counts as an error of 100 %
        "residual, no norm, training error, % (100: diverged)",
        Double.isNaN(bare) ? 100 : bare, Bound.atLeast(50));
    double skip = fit(init -> skipInit(init, width), width, blocks, training, data, seed, note);
    note.measure("residual, no norm, SkipInit, training error, %", skip, Bound.atMost(5));
    double fixup =
        fit(init -> fixup(init, width, blocks), width, blocks, training, data, seed, note);
    note.measure("residual, no norm, Fixup, training error, %", fixup, Bound.atMost(5));
    note.measure(
        "orthogonal linear net of 64 layers, condition number less 1",
        condition(width, 64, seed) - 1,
        Bound.between(-1e-9, 1e-9));
    double gaussian = fit(init -> tanh(init, width), width, depth, training, data, seed, note);
    double orthogonal =
        fit(
            init -> tanh(Orthogonal.rounded(init), width),
            width,
            depth,
            training,
            data,
            seed,
            note);
    note.measure("plain tanh, Gaussian weights, training error, %", gaussian);
    note.measure("plain tanh, orthogonal weights, training error, %", orthogonal);
    note.measure(
        "orthogonal over Gaussian, training error", orthogonal / gaussian, Bound.atMost(0.5));
    note.curve(
        "Training error at the end",
        "1 as it is, 2 SkipInit, 3 Fixup, 4 tanh Gaussian, 5 tanh orthogonal",
        "error in %",
        Scale.LINEAR,
        depth + " layers",
        new double[] {1, 2, 3, 4, 5},
        new double[] {Double.isNaN(bare) ? 100 : bare, skip, fixup, gaussian, orthogonal});
  }

  private static double fit(
      Function<Init, Layer> block,
      int width,
      int blocks,
      Training training,
      Mixture data,
      long seed,
      Notebook note) {
    try (var _ = Scope.open()) {
      return training.fit(
          DeepNet.around(Init.he(seed), data.features(), width, blocks, block), data, seed, note);
    }
  }

  private static Layer bare(Init init, int width) {
    return Chain.of(new Residual(products(init, init, width)), new Relu());
  }

  private static Layer skipInit(Init init, int width) {
    return Chain.of(
        new Residual(Chain.of(products(init, init, width), TrainedFactor.of(0))), new Relu());
  }

  private static Layer fixup(Init init, int width, int blocks) {
    Init first =
        (path, in, shape) -> init.weights(path, in, shape).times(1 / Math.sqrt((double) blocks));
    return Chain.of(
        new Residual(
            Chain.of(
                Bias.of(width),
                products(first, Init.zeros(), width),
                TrainedFactor.of(1),
                Bias.of(width))),
        new Relu());
  }

  private static Layer products(Init first, Init second, int width) {
    return new Chain(
        List.of(
            new Child("dense0", Dense.of(first, "dense0", width, width)),
            new Child("relu0", new Relu()),
            new Child("dense1", Dense.of(second, "dense1", width, width))));
  }

  /// Returns a layer with He's weights, scaled down to the variance 1/width.
  private static Layer tanh(Init init, int width) {
    Init half = (path, in, shape) -> init.weights(path, in, shape).times(Math.sqrt(0.5));
    return Chain.of(Dense.of(half, "dense", width, width), new Tanh());
  }

  /// Returns the condition number of the Jacobian of a product of orthogonal matrices, in float64.
  static double condition(int width, int depth, long seed) {
    try (var _ = Scope.open()) {
      Layer[] layers = new Layer[depth];
      for (int l = 0; l < depth; l++) {
        Init half =
            (path, in, shape) ->
                Orthogonal.of(Init.he(seed)).weights(path, in, shape).times(Math.sqrt(0.5));
        layers[l] = Dense.withoutBias(half, "layer" + l, width, width);
      }
      return Spectrum.ofJacobian(Chain.of(layers), Signals.inputs(width, 1, seed)).condition();
    }
  }

  /// The layer y = k·x with a trained k.
  record TrainedFactor(Param weight) implements Layer {
    static TrainedFactor of(double start) {
      return new TrainedFactor(Param.of(Tensor.of(new float[] {(float) start}, 1)));
    }

    @Override
    public Traced forward(Tensor x) {
      double k = weight.value().item();
      return new Traced(
          x.times(k),
          dy -> {
            try (var _ = Scope.open()) {
              weight.grad().add_(dy.times(x).sum().reshape(1));
            }
            return dy.times(k);
          });
    }

    @Override
    public Map<String, Param> own() {
      return Map.of("weight", weight);
    }
  }
}
