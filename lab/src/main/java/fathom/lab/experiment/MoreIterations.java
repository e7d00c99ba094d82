package fathom.lab.experiment;

import fathom.Layer;
import fathom.Scope;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.report.Scale;

/// Measures whether [Degradation]'s plain net of 56 layers fits its training points with one, two
/// and three times its epochs. Source of the claim: He et al. 2016, section 4.1, footnote 3; row 12
/// of the project's list of claims, a prediction.
///
/// The experiment does not show what many more epochs or another learning rate would do.
final class MoreIterations implements Experiment {
  @Override
  public Statement statement() {
    return new Statement(
        "more-iterations",
        "Is a deep plain net only slow?",
        "With three times the iterations a plain net of 56 layers still does not fit its training"
            + " points.",
        "He et al. 2016, section 4.1, footnote 3; row 12",
        "20 s");
  }

  @Override
  public void observe(Size size, long seed, Notebook note) {
    Mixture data = Mixture.of(seed, "train", size.of(256, 2048, 8192));
    int width = size.of(8, 48, 48);
    int depth = size.of(8, 56, 56);
    int epochs = size.of(1, 8, 8);
    double[] x = new double[3];
    double[] errors = new double[3];
    try (var _ = Scope.open()) {
      var net = DeepNet.plain(data.features(), width, depth).build(seed);
      int steps = data.count() / Training.BATCH * epochs;
      boolean finite =
          new Training(0.1, 3 * epochs)
              .run(
                  net,
                  data,
                  seed,
                  note,
                  new Training.Look() {
                    @Override
                    public void after(int step, Layer layer) {
                      if ((step + 1) % steps == 0) {
                        int third = (step + 1) / steps;
                        x[third - 1] = third * epochs;
                        errors[third - 1] = Training.error(layer, data);
                      }
                    }
                  });
      note.measure("plain-56, training error, %", finite ? errors[0] : Double.NaN);
      note.measure(
          "plain-56 with three times the epochs, training error, %",
          finite ? errors[2] : Double.NaN, Bound.atLeast(70));
      if (finite) {
        note.curve(
            "Training error by the length of training",
            "epochs",
            "error in %",
            Scale.LINEAR,
            "plain-56",
            x,
            errors);
      }
    }
  }
}
