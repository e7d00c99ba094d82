package fathom.lab.experiment;

import fathom.Layer;
import fathom.Scope;
import fathom.lab.instrument.Spectrum;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.nn.Chain;
import fathom.nn.Relu;
import fathom.nn.Residual;
import fathom.report.Scale;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.stream.IntStream;

/// Measures in how many directions the Jacobian of a deep net stretches its input: rectifier nets
/// without a norm, plain and with branches scaled by 1/√L, at one Gaussian input, in float64.
/// Source of the claim: Saxe et al. 2014; Pennington et al. 2017; row 22 of the project's list of
/// claims.
///
/// The nets are untrained, so the experiment does not show how the Jacobian changes in training.
final class Stretching implements Experiment {
  @Override
  public Statement statement() {
    return new Statement(
        "spectrum",
        "Can a Jacobian have a healthy norm and be useless?",
        "At equal norm, the Jacobian of 64 plain layers has all its weight in one to three"
            + " directions, that of 64 residual layers in many.",
        "Saxe et al. 2014; Pennington et al. 2017; row 22",
        "5 s");
  }

  @Override
  public void observe(Size size, long seed, Notebook note) {
    int width = size.of(8, 128, 128);
    int[] depths = {2, 8, 32, 64};
    for (boolean residual : new boolean[] {false, true}) {
      String kind = residual ? "residual" : "plain";
      double[] directions = new double[depths.length];
      Spectrum last = new Spectrum(new double[0]);
      for (int i = 0; i < depths.length; i++) {
        note.alive();
        try (var _ = Scope.open()) {
          last =
              Spectrum.ofJacobian(
                  net(residual, width, depths[i], seed), Signals.inputs(width, 1, seed));
          directions[i] = last.participation();
        }
      }
      note.measure(kind + ", 64 layers, root mean square of σ", last.rms(), Bound.between(0.3, 3));
      note.measure(
          kind + ", 64 layers, participating directions of " + width,
          last.participation(),
          residual ? Bound.atLeast(25) : Bound.atMost(3));
      note.curve(
          "Directions in which the Jacobian stretches",
          "layers",
          "participating directions",
          Scale.LINEAR,
          kind,
          Arrays.stream(depths).asDoubleStream().toArray(),
          directions);
      note.curve(
          "Singular values at 64 layers",
          "rank",
          "σ",
          Scale.LOG,
          kind,
          IntStream.rangeClosed(1, last.values().length).asDoubleStream().toArray(),
          last.values());
    }
  }

  private static Layer net(boolean residual, int width, int depth, long seed) {
    var layers = new ArrayList<Layer>();
    for (int l = 0; l < depth; l++) {
      Layer dense = Signals.dense(width, seed, l);
      layers.add(
          residual
              ? new Residual(Chain.of(new Relu(), dense, new Scaled(1 / Math.sqrt(depth))))
              : Chain.of(dense, new Relu()));
    }
    return Chain.of(layers.toArray(Layer[]::new));
  }
}
