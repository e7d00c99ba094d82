package fathom.lab.layernorm;

import fathom.data.DataSet;
import fathom.lab.layernorm.Course.Plan;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.net.ImageShape;
import fathom.net.Mlp;
import fathom.net.Norm;
import fathom.optim.Adam;
import fathom.optim.Schedule;
import fathom.task.ImageClassification;
import fathom.train.Metrics;
import java.util.List;

/// Measures whether layer norm trains a net for images faster, and how well it works with small
/// batches. Source of the claim: Ba et al. 2016, section 6.6, figure 6; row 34 of the project's
/// list of claims, a prediction.
///
/// The net is the paper's net for images as sets of numbers with 256 and 256 units, trained with
/// Adam at the learning rate 0.001 with batches of 128 and of 4, on the embedded digits; at size
/// full on MNIST if the data set `mnist` is available. The paper uses the unbiased variance for
/// batch norm at batch size 4. This experiment uses the biased one in every step, which changes the
/// normalised values only by the factor √(4/3).
///
/// The experiment does not show the paper's numbers unless it runs at size full on MNIST, and it
/// compares at one learning rate only.
final class SmallBatches implements Experiment {
  private static final double LEARNED = 0.1;

  @Override
  public Statement statement() {
    return new Statement(
        "small-batches",
        "Does layer norm train a net for images faster, and does it mind a small batch?",
        "With layer norm the loss comes below 0.1 nats no later than without a norm at batch 128,"
            + " and at batch 4 the test error is lower than with batch norm.",
        "Ba et al. 2016, section 6.6, figure 6; row 34",
        "20 s");
  }

  @Override
  public void observe(Size size, long seed, Notebook note) {
    DataSet data = data(size);
    int large = size.of(1, 12, 6);
    int small = size.of(1, 4, 1);
    double none = fast("no norm", Norm.NONE, data, large, seed, note);
    double layer = fast("layer norm", Norm.LAYER, data, large, seed, note);
    double batch = fast("batch norm", Norm.BATCH, data, large, seed, note);
    note.measure(
        "batch 128, epochs to 0.1 nats, layer norm less no norm", layer - none, Bound.atMost(0));
    note.measure("batch 128, epochs to 0.1 nats, layer norm less batch norm", layer - batch);
    double four = error("layer norm", Norm.LAYER, data, small, seed, note);
    double fourByBatch = error("batch norm", Norm.BATCH, data, small, seed, note);
    error("no norm", Norm.NONE, data, small, seed, note);
    note.measure(
        "batch 4, test error, batch norm less layer norm, points",
        fourByBatch - four,
        Bound.atLeast(0));
  }

  private static DataSet data(Size size) {
    if (size == Size.FULL) {
      try {
        return DataSet.open("mnist");
      } catch (IllegalArgumentException _) { // it is not available, so the digits are used
        return DataSet.open("digits");
      }
    }
    return DataSet.open("digits");
  }

  private static double fast(
      String arm, Norm norm, DataSet data, int epochs, long seed, Notebook note) {
    Course course = course(norm, data, epochs, 128, seed, note);
    double reached = course.firstAtMost(LEARNED, Metrics.Epoch::trainLoss);
    note.measure("batch 128, " + arm + ", first epoch with at most 0.1 nats", reached);
    note.measure("batch 128, " + arm + ", test error, %", course.last(Metrics.Epoch::testError));
    course.draw("Training loss, batch 128", "nats", arm, Metrics.Epoch::trainLoss, note);
    return reached;
  }

  private static double error(
      String arm, Norm norm, DataSet data, int epochs, long seed, Notebook note) {
    Course course = course(norm, data, epochs, 4, seed, note);
    double error = course.last(Metrics.Epoch::testError);
    note.measure("batch 4, " + arm + ", test error, %", error);
    course.draw("Training loss, batch 4", "nats", arm, Metrics.Epoch::trainLoss, note);
    return error;
  }

  private static Course course(
      Norm norm, DataSet data, int epochs, int batch, long seed, Notebook note) {
    var train = data.train();
    var input = new ImageShape(train.channels(), train.height(), train.width());
    Mlp net =
        Mlp.named("mlp")
            .withHidden(List.of(256, 256))
            .withNorm(norm)
            .on(input, data.classes().size());
    var plan = new Plan(Adam.of(), Schedule.constant(0.001), epochs, batch);
    return Course.of(net::build, ImageClassification.of(data), plan, seed, note);
  }
}
