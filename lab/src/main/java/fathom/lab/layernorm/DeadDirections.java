package fathom.lab.layernorm;

import fathom.Layer;
import fathom.Param;
import fathom.Scope;
import fathom.Tensor;
import fathom.lab.instrument.Fisher;
import fathom.lab.instrument.Spectrum;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.nn.Chain;
import fathom.nn.Dense;
import fathom.nn.Identity;
import fathom.nn.Init;
import fathom.nn.LayerNorm;
import fathom.nn.Relu;
import fathom.nn.RmsNorm;
import fathom.report.Scale;
import java.util.Arrays;
import java.util.stream.IntStream;

/// Measures in how many directions the matrix behind a norm can change without any effect. Source
/// of the claim: after 2603.27432; row 55 of the project's list of claims.
///
/// The d outputs of layer norm without gain and bias add up to 0 for every input, so a change of
/// the next matrix that adds one number to a whole row changes no output. So m of the matrix's m·d
/// directions are dead, and the rank of its block of the Fisher information is m·(d − 1). RMS norm
/// leaves none dead, nor does layer norm with a rectifier between the norm and the matrix. With
/// drawn gains and biases, and a bias in the layer behind the norm, there is still one dead
/// direction for each row, in which matrix and bias change together.
///
/// The experiment does not show what dead directions cost in training.
final class DeadDirections implements Experiment {
  @Override
  public Statement statement() {
    return new Statement(
        "dead-directions",
        "Does layer norm leave the next matrix directions in which nothing changes?",
        "Exactly one for each of its rows, and RMS norm none.",
        "after 2603.27432; row 55",
        "1 s");
  }

  private static final int INPUTS = 12;

  @Override
  public void observe(Size size, long seed, Notebook note) {
    int features = size.of(4, 8, 12);
    int outputs = size.of(2, 3, 5);
    int cases = size.of(16, 40, 80);
    int all = outputs * features;
    var plain = LayerNorm.plain(features).withEpsilon(0);
    rank("layer norm", plain, false, all - outputs, features, outputs, cases, seed, note);
    rank(
        "RMS norm",
        RmsNorm.plain(features).withEpsilon(0),
        false,
        all,
        features,
        outputs,
        cases,
        seed,
        note);
    rank("no norm", new Identity(), false, all, features, outputs, cases, seed, note);
    rank(
        "layer norm and a rectifier",
        Chain.of(plain, new Relu()),
        false,
        all,
        features,
        outputs,
        cases,
        seed,
        note);
    try (var _ = Scope.open()) {
      Layer affine =
          new LayerNorm(
              Param.of(Doubles.normal(seed, "gain", features)),
              Param.of(Doubles.normal(seed, "bias", features)),
              0,
              LayerNorm.Over.FEATURES,
              plain.features());
      rank(
          "layer norm with gain and bias, matrix and bias behind it",
          affine,
          true,
          all,
          features,
          outputs,
          cases,
          seed,
          note);
    }
  }

  private static void rank(
      String name,
      Layer norm,
      boolean bias,
      int expected,
      int features,
      int outputs,
      int cases,
      long seed,
      Notebook note) {
    note.alive();
    try (var _ = Scope.open()) {
      var init = Init.he(seed);
      Layer first = Doubles.of(Dense.withoutBias(init, "first", INPUTS, features));
      var last =
          bias
              ? Dense.of(init, "last", features, outputs)
              : Dense.withoutBias(init, "last", features, outputs);
      Doubles.convert(last);
      Tensor h = Chain.of(first, norm).predict(Doubles.normal(seed, "x", cases, INPUTS));
      Fisher fisher = Fisher.of(last, h, Fisher.Response.GAUSSIAN);
      int[] places = IntStream.range(0, fisher.size()).toArray();
      double[] values =
          Spectrum.of(fisher.block(places, places), fisher.size(), fisher.size()).values();
      long rank = Arrays.stream(values).filter(v -> v > 1e-12 * values[0]).count();
      note.measure(
          "%s, rank of %s directions".formatted(name, fisher.size()),
          (double) rank,
          Bound.between(expected, expected));
      double[] x = new double[values.length];
      Arrays.setAll(x, i -> i + 1);
      double[] shares = Arrays.stream(values).map(v -> Math.max(v / values[0], 1e-20)).toArray();
      note.curve(
          "Eigenvalues of the Fisher information of the matrix behind a norm",
          "eigenvalue",
          "over the largest",
          Scale.LOG,
          name,
          x,
          shares);
    }
  }
}
