package fathom.lab.experiment;

import fathom.Scope;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.report.Scale;

/// Measures whether a warm-up helps a fully connected residual net of 110 layers. Source of the
/// claim: He et al. 2016, section 4.2; row 15 of the project's list of claims, a prediction.
///
/// One arm trains with the learning rate 0.1 from the start. The other trains with 0.01 until the
/// training error is below 80 %, as in the paper, but checked once per epoch, and then with 0.1. An
/// epoch has 16 steps at size quick, and momentum starts at zero in each.
///
/// The claim is only about the steps until 80 %. The experiment does not show which arm ends
/// better: at the learning rate 0.1 this net fits its points in neither within so few epochs.
final class WarmUp implements Experiment {
  private static final double GOOD = 80;

  @Override
  public Statement statement() {
    return new Statement(
        "warm-up",
        "Does a residual net of 110 layers need a warm-up?",
        "With a warm-up at a tenth of the learning rate, 110 layers come below an error of 80 % no later"
            + " than without.",
        "He et al. 2016, section 4.2; row 15",
        "25 s");
  }

  @Override
  public void observe(Size size, long seed, Notebook note) {
    Mixture data = Mixture.of(seed, "train", size.of(256, 2048, 8192));
    int width = size.of(8, 48, 48);
    int depth = size.of(8, 110, 110);
    int epochs = size.of(2, 8, 24);
    double with = measure("with warm-up", 0.01, data, width, depth, epochs, seed, note);
    double without = measure("without", 0.1, data, width, depth, epochs, seed, note);
    note.measure(
        "epochs below 80 % with a warm-up less those without", with - without, Bound.atMost(0));
  }

  /// Returns the first epoch after which the training error is below 80 %; one more than the number
  /// of epochs if there is none.
  private static double measure(
      String kind,
      double first,
      Mixture data,
      int width,
      int depth,
      int epochs,
      long seed,
      Notebook note) {
    double[] x = new double[epochs];
    double[] errors = new double[epochs];
    double reached = epochs + 1;
    try (var _ = Scope.open()) {
      var net = DeepNet.residual(data.features(), width, depth).build(seed);
      for (int epoch = 0; epoch < epochs; epoch++) {
        double learningRate = reached > epochs ? first : 0.1;
        x[epoch] = epoch + 1;
        errors[epoch] = new Training(learningRate, 1).fit(net, data, seed + 1000L * epoch, note);
        if (errors[epoch] < GOOD) {
          reached = Math.min(reached, epoch + 1);
        }
      }
    }
    note.measure(kind + ", first epoch with a training error below 80 %", reached);
    note.measure(kind + ", training error at the end, %", errors[epochs - 1]);
    note.curve("Training error", "epochs", "error in %", Scale.LINEAR, kind, x, errors);
    return reached;
  }
}
