package fathom.lab.experiment;

import fathom.Scope;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.report.Scale;
import java.util.List;

/// Measures whether fully connected nets fit their training points worse the deeper they are, with
/// shortcuts and without. Source of the claim: He et al. 2016, sections 1 and 4.2, figures 1 and 6;
/// rows 8 to 10 of the project's list of claims.
///
/// A net that predicts at random has an error of 90 %. There, the errors on two sets of 2048 points
/// differ with a standard deviation of about one point, so the bound on their difference allows
/// two.
///
/// The experiment does not show why the deep plain net fails, nor this for images;
/// `conv-degradation` measures images.
final class Degradation implements Experiment {
  @Override
  public Statement statement() {
    return new Statement(
        "degradation",
        "Does a plain net fit its training points worse the deeper it is, and a residual net not?",
        "Deeper plain nets have a higher training error, which is no over-fitting; shortcuts"
            + " without a parameter cure it.",
        "He et al. 2016, sections 1 and 4.2, figures 1 and 6; rows 8-10",
        "20 s");
  }

  @Override
  public void observe(Size size, long seed, Notebook note) {
    int points = size.of(256, 2048, 8192);
    Mixture train = Mixture.of(seed, "train", points);
    Mixture test = Mixture.of(seed, "test", points);
    int width = size.of(8, 48, 48);
    int shorter = size.of(1, 8, 8);
    int longer = size.of(1, 20, 20);
    int in = train.features();
    var brief = new Training(0.1, shorter);
    var slow = new Training(0.02, longer); // at 0.1 a deep residual net is slower
    var fits = Bound.atMost(2);
    var sets = List.of(train, test);
    measure(DeepNet.plain(in, width, 4), brief, fits, seed, sets, note);
    measure(DeepNet.plain(in, width, 20), brief, Bound.atLeast(40), seed, sets, note);
    measure(DeepNet.plain(in, width, 56), brief, Bound.atLeast(80), seed, sets, note);
    measure(DeepNet.residual(in, width, 20), brief, fits, seed, sets, note);
    measure(DeepNet.residual(in, width, 56), slow, fits, seed, sets, note);
    note.measure(
        "plain-56, test error less training error, points",
        note.value("plain-56, test error, %") - note.value("plain-56, training error, %"),
        Bound.atLeast(-2));
    note.curve(
        "Training error at the end by depth",
        "layers",
        "error in %",
        Scale.LINEAR,
        "plain",
        new double[] {4, 20, 56},
        List.of("plain-4", "plain-20", "plain-56").stream()
            .mapToDouble(n -> note.value(n + ", training error, %"))
            .toArray());
    note.curve(
        "Training error at the end by depth",
        "layers",
        "error in %",
        Scale.LINEAR,
        "residual",
        new double[] {20, 56},
        List.of("residual-20", "residual-56").stream()
            .mapToDouble(n -> note.value(n + ", training error, %"))
            .toArray());
  }

  private static void measure(
      DeepNet shape, Training training, Bound bound, long seed, List<Mixture> sets, Notebook note) {
    try (var _ = Scope.open()) {
      var net = shape.build(seed);
      boolean finite = training.run(net, sets.getFirst(), seed, note);
      double error = finite ? Training.error(net, sets.getFirst()) : Double.NaN;
      double testError = finite ? Training.error(net, sets.getLast()) : Double.NaN;
      note.measure(shape.name() + ", training error, %", error, bound);
      note.measure(shape.name() + ", test error, %", testError);
    }
  }
}
