package fathom.lab.layernorm;

import fathom.data.DataSet;
import fathom.lab.layernorm.Course.Plan;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.net.CifarNet;
import fathom.net.ImageShape;
import fathom.net.Norm;
import fathom.net.Shortcut;
import fathom.optim.Schedule;
import fathom.optim.Sgd;
import fathom.task.ImageClassification;
import fathom.train.Metrics;

/// Measures which norm trains a convolutional net fastest: batch norm, layer norm over an image, or
/// none. Source of the claim: Ba et al. 2016, section 6.7; row 38 of the project's list of claims,
/// a prediction.
///
/// The net is plain with 8 convolutional layers at a quarter of the width, trained with momentum
/// 0.9, learning rate 0.1 and batches of 128, for five epochs of CIFAR-10 at size full if the data
/// set `cifar10` is available; otherwise, and at size quick, it learns the embedded digits for
/// twelve epochs, because they are fewer.
///
/// It is one recipe, so the experiment does not show which norm is best with the learning rate that
/// suits it.
final class ConvolutionalNorms implements Experiment {
  @Override
  public Statement statement() {
    return new Statement(
        "conv-norms",
        "Which norm trains a convolutional net fastest?",
        "With layer norm a convolutional net has a lower training loss than without a norm, and"
            + " with batch norm a lower one still.",
        "Ba et al. 2016, section 6.7; row 38",
        "15 s");
  }

  @Override
  public void observe(Size size, long seed, Notebook note) {
    DataSet data = data(size);
    int epochs = epochs(size, data);
    double none = loss("no norm", Norm.NONE, data, epochs, seed, note);
    double layer = loss("layer norm", Norm.LAYER, data, epochs, seed, note);
    double batch = loss("batch norm", Norm.BATCH, data, epochs, seed, note);
    note.measure(
        "mean training loss, no norm less layer norm, nats", none - layer, Bound.atLeast(0));
    note.measure(
        "mean training loss, layer norm less batch norm, nats", layer - batch, Bound.atLeast(0));
  }

  /// Returns the number of epochs, which depends on what is learned, and not on the size alone.
  static int epochs(Size size, DataSet data) {
    return size == Size.TINY ? 1 : data.name().equals("cifar10") ? 5 : 12;
  }

  private static DataSet data(Size size) {
    if (size == Size.FULL) {
      try {
        return DataSet.open("cifar10");
      } catch (IllegalArgumentException _) { // it is not available, so the digits are used
        return DataSet.open("digits");
      }
    }
    return DataSet.open("digits");
  }

  private static double loss(
      String arm, Norm norm, DataSet data, int epochs, long seed, Notebook note) {
    var train = data.train();
    var input = new ImageShape(train.channels(), train.height(), train.width());
    var net = new CifarNet(8, Shortcut.NONE, norm, 4, input, data.classes().size());
    var plan = new Plan(Sgd.of(0.9, 1e-4), Schedule.constant(0.1), epochs, 128);
    Course course = Course.of(net::build, ImageClassification.of(data), plan, seed, note);
    double loss = course.mean(Metrics.Epoch::trainLoss);
    note.measure(arm + ", mean training loss, nats", loss);
    note.measure(arm + ", training loss at the end, nats", course.last(Metrics.Epoch::trainLoss));
    note.measure(arm + ", test error, %", course.last(Metrics.Epoch::testError));
    course.draw("Training loss", "nats", arm, Metrics.Epoch::trainLoss, note);
    return loss;
  }
}
