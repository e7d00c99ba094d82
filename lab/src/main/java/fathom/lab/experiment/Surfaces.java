package fathom.lab.experiment;

import fathom.Layer;
import fathom.Scope;
import fathom.lab.instrument.LossSurface;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.loss.CrossEntropy;
import fathom.report.Scale;
import java.util.Locale;

/// Measures the loss around nets of 56 layers, plain and residual, that are trained alike: on 512
/// of their points, at 11×11 places of a plane of two filter-normalised directions at size quick.
/// The maps show the surface; the charts cut it through the middle and at half the reach. Source of
/// the claim: Li et al. 2018 ("Visualizing the loss landscape"); the bound is a prediction of
/// section 3.1 of this project's table.
///
/// A plain net of 56 layers does not train here, so the experiment does not show the surface around
/// its minimum, but that around the place where training ended.
final class Surfaces implements Experiment {
  @Override
  public Statement statement() {
    return new Statement(
        "surfaces",
        "How does the loss look around a plain net and a residual net?",
        "Around a plain net of 56 layers descent leads away from it at five times as many places as"
            + " around a residual net.",
        "Li et al. 2018 (\"Visualizing the loss landscape\"); threshold predicted in this project's"
            + " table, section 3.1",
        "25 s");
  }

  @Override
  public void observe(Size size, long seed, Notebook note) {
    Mixture data = Mixture.of(seed, "train", size.of(256, 2048, 8192));
    Mixture some = Mixture.of(seed, "train", size.of(128, 512, 512));
    int width = size.of(8, 48, 48);
    int depth = size.of(4, 56, 56);
    var training = new Training(0.02, size.of(1, 8, 20));
    double plain =
        measure(
            DeepNet.plain(data.features(), width, depth),
            "plain",
            data,
            some,
            training,
            size,
            seed,
            note);
    double residual =
        measure(
            DeepNet.residual(data.features(), width, depth),
            "residual",
            data,
            some,
            training,
            size,
            seed,
            note);
    note.measure( // the residual share may be 0, so at least one place counts
        "share of places where descent leads away, plain over residual",
        plain / Math.max(residual, 1.0 / 121),
        Bound.atLeast(5));
  }

  private static double measure(
      DeepNet shape,
      String kind,
      Mixture data,
      Mixture some,
      Training training,
      Size size,
      long seed,
      Notebook note) {
    try (var _ = Scope.open()) {
      Layer net = shape.build(seed);
      double error = training.fit(net, data, seed, note);
      int places = size.of(3, 11, 31);
      var surface =
          LossSurface.of(
              net,
              n -> {
                note.alive();
                return loss(n, some);
              },
              1,
              places,
              seed);
      note.measure(kind + ", training error, %", error);
      note.measure(kind + ", loss in the middle, nats", surface.losses()[places / 2][places / 2]);
      note.measure(kind + ", share of places where descent leads away", surface.astray());
      note.map(
          "Loss around the " + kind + " net",
          "The net is in the middle, 1 is as far as its filters are long.",
          "place along one direction",
          "place along the other",
          "nats",
          surface.at(),
          surface.at(),
          surface.losses());
      for (int cut : new int[] {places / 2, 3 * places / 4}) {
        note.curve(
            "Loss along one direction, " + kind,
            "distance, in lengths of the filters",
            "nats",
            Scale.LOG,
            String.format(Locale.ROOT, "%s, %.1f along the other", kind, surface.at()[cut]),
            surface.at(),
            surface.losses()[cut]);
      }
      return surface.astray();
    }
  }

  private static double loss(Layer net, Mixture data) {
    try (var _ = Scope.open()) {
      return CrossEntropy.sum(net.forward(data.all()).value(), data.labels()) / data.count();
    }
  }
}
