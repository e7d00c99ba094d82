package fathom.lab.edges;

import fathom.Scope;
import fathom.Tensor;
import fathom.lab.instrument.LinearProbe;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.report.Scale;
import java.util.List;
import java.util.Objects;
import java.util.function.ToDoubleFunction;

/// Measures what the mean and the variance of a layer's activations tell about the number of
/// outline pixels E, on images of 0 to 8 objects. Source of the claim: a reader of Ba et al. 2016
/// ("if there are a lot of edges, the neural net should have a higher variance in each of its
/// layers"); Li et al. 2019; row 49 of the project's list of claims.
///
/// The only feature of the probe is that one number of each image. Behind layer norm without gains
/// the variance is 1 except for ε, and the mean is 0, so that neither tells anything; the largest
/// difference of the variance from 1 is measured instead.
///
/// Where the outlines are is another question. For it, the standard deviation over the channels at
/// one pixel (Li et al. 2019, figure 1) is measured as a detector, by the probability that a pixel
/// of an outline has a larger one than another pixel (the area under the curve).
///
/// The filters are random, so the experiment does not show what trained filters respond to;
/// `edges-trained` measures that for the net without a norm.
final class EdgesVariance implements Experiment {
  @Override
  public Statement statement() {
    return new Statement(
        "edges-variance",
        "Has a layer a higher variance where there are more edges?",
        "The variance over a layer of random filters tells the number of outline pixels of an image"
            + " (R² ≥ 0.8).",
        "a reader of Ba et al. 2016: \"if there are a lot of edges, the neural net should have a"
            + " higher variance in each of its layers\"; Li et al. 2019; row 49",
        "5 s");
  }

  /// The number of images in the measurement of single pixels.
  private static final int LOOKED_AT = 50;

  @Override
  public void observe(Size size, long seed, Notebook note) {
    List<Scene> scenes = Scenes.of(seed, "variance", 0, 8).take(size.of(40, 500, 2000));
    double[] edges = scenes.stream().mapToDouble(Scene::outlinePixels).toArray();
    note.alive();
    try (var _ = Scope.open()) {
      Tensor a = RandomFilters.filters(seed).predict(Scene.doubles(scenes));
      double[][] rows = RandomFilters.perImage(a);
      probe("variance of the layer", rows, Moments::variance, edges, Bound.atLeast(0.8), note);
      probe(
          "standard deviation of the layer",
          rows,
          Moments::standardDeviation,
          edges,
          Bound.NONE,
          note);
      probe("mean of the layer", rows, Moments::mean, edges, Bound.NONE, note);
      double[][] rectified = RandomFilters.perImage(a.relu());
      probe("variance behind the rectifier", rectified, Moments::variance, edges, Bound.NONE, note);
      var norms = RandomFilters.norms(seed, scenes.getFirst().side());
      for (String name : List.of("layer norm", "batch norm")) {
        note.alive();
        try (var _ = Scope.open()) {
          double[][] normed =
              RandomFilters.perImage(Objects.requireNonNull(norms.get(name)).forward(a).value());
          if (name.equals("batch norm")) {
            probe("variance behind " + name, normed, Moments::variance, edges, Bound.NONE, note);
          } else {
            note.measure(name + ": largest |variance − 1| of an image", worst(normed));
          }
        }
      }
      note.measure(
          "pixels of outlines found by the standard deviation over channels, area under the curve",
          area(a, scenes.subList(0, Math.min(LOOKED_AT, scenes.size()))));
      curve(rows, edges, note);
    }
  }

  private static void probe(
      String what,
      double[][] rows,
      ToDoubleFunction<double[]> moment,
      double[] target,
      Bound bound,
      Notebook note) {
    double[][] features = new double[rows.length][];
    for (int i = 0; i < rows.length; i++) {
      features[i] = new double[] {moment.applyAsDouble(rows[i])};
    }
    note.measure(
        "R²(outline pixels | %s)".formatted(what), LinearProbe.r2(features, target), bound);
  }

  private static double worst(double[][] rows) {
    double worst = 0;
    for (double[] row : rows) {
      worst = Math.max(worst, Math.abs(Moments.variance(row) - 1));
    }
    return worst;
  }

  /// Draws the mean variance over the number of outline pixels, in steps of 50.
  private static void curve(double[][] rows, double[] edges, Notebook note) {
    int steps = 10;
    double[] sums = new double[steps];
    double[] counts = new double[steps];
    for (int i = 0; i < rows.length; i++) {
      int at = (int) Math.min(steps - 1, edges[i] / 50);
      sums[at] += Moments.variance(rows[i]);
      counts[at]++;
    }
    double[] x = new double[steps];
    for (int i = 0; i < steps; i++) {
      x[i] = 50 * i + 25;
      sums[i] /= counts[i]; // NaN for a step without images, a gap in the line
    }
    note.curve(
        "Variance of the layer", "outline pixels", "variance", Scale.LINEAR, "no norm", x, sums);
  }

  private static double area(Tensor a, List<Scene> scenes) {
    int plane = scenes.getFirst().outline().length;
    double[] standardDeviations = new double[scenes.size() * plane];
    double[][] rows = RandomFilters.perImage(a.narrow(0, 0, scenes.size()));
    double[] channels = new double[RandomFilters.CHANNELS];
    for (int i = 0; i < rows.length; i++) {
      for (int p = 0; p < plane; p++) {
        for (int c = 0; c < channels.length; c++) {
          channels[c] = rows[i][c * plane + p];
        }
        standardDeviations[i * plane + p] = Moments.standardDeviation(channels);
      }
    }
    return Detection.area(standardDeviations, Scene.outlines(scenes));
  }
}
