package fathom.lab.scale;

import fathom.DType;
import fathom.Param;
import fathom.RandomKey;
import fathom.Scope;
import fathom.lab.instrument.Movement;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.report.Scale;
import java.util.Arrays;

/// Measures whether the growth of normalised weights stops a net before it over-fits, which the
/// paper calls an "implicit early stopping". Source of the claim: Ba et al. 2016, section 5.2.2;
/// Lyle et al. 2024; row 44 and C4 of section 3.3 of the project's list of claims.
///
/// Two of five labels are drawn at random, so that there is a reason to stop. Three nets are
/// compared: one with layer norm whose matrices grow freely; one whose matrices are brought back to
/// their first length after every step, which changes no function and removes the growth; and one
/// without a norm, all of it at the learning rate of the others' last product. The matrices under
/// layer norm start 0.3 times as long as He's, so that they grow by a half.
///
/// The prediction was that growth slows the net down, in three parts: the net turns less, memorises
/// later, and its best test error is the same. In the pilot the second part failed for every seed
/// and every learning rate tried, and its bound was kept with its direction: a net that turns less
/// memorises *sooner*. Its steps become smaller than the noise of its batches, as those of a net
/// with a falling learning rate do. The steps of the other net do not, and that keeps it from
/// memorising.
///
/// The experiment does not show this for labels without noise, or for other nets.
final class EarlyStopping implements Experiment {
  @Override
  public Statement statement() {
    return new Statement(
        "early-stopping",
        "Does the growth of normalised weights stop a net before it over-fits?",
        "It turns the weights less than if their length is kept, and the net memorises wrong labels"
            + " later; the best test error on the way differs by no more than a point.",
        "Ba et al. 2016, section 5.2.2; Lyle et al. 2024; row 44; thresholds set after a pilot with"
            + " seeds 11 to 13",
        "20 s");
  }

  private static final int BATCH = 64;
  private static final double NOISE = 0.4;
  private static final double RATE = 0.3;
  private static final double FACTOR = 0.3;
  private static final double REST_RATE = 0.1;

  private enum Arm {
    FREE("layer norm, free growth"),
    PROJECTED("layer norm, length kept"),
    NONE("no norm");

    private final String words;

    Arm(String words) {
      this.words = words;
    }
  }

  /// The outcome of a training.
  ///
  /// @param rotation the sum of the angles by which steps turn a hidden matrix, mean of both, in
  ///   radians
  /// @param growth ‖W‖ at the end over ‖W‖ at the start, mean of both matrices
  /// @param memorised the epochs until less than a tenth of the training points, with their wrong
  ///   labels, are wrong; one more than the number of epochs if it did not happen
  /// @param best the smallest test error of all epochs, in percent
  /// @param last the test error after the last epoch, in percent
  /// @param train the training error at the end, with the wrong labels, in percent
  private record Outcome(
      double rotation, double growth, int memorised, double best, double last, double train) {}

  @Override
  public void observe(Size size, long seed, Notebook note) {
    int count = size.of(128, 1024, 4096);
    int epochs = size.of(2, 60, 100);
    int width = size.of(8, 128, 256);
    Points train = Points.of(seed, "train", count).noisy(NOISE, seed);
    Points test = Points.of(seed, "test", size.of(128, 4096, 8192));
    Outcome free = train(Arm.FREE, train, test, width, epochs, seed, note);
    Outcome kept = train(Arm.PROJECTED, train, test, width, epochs, seed, note);
    Outcome none = train(Arm.NONE, train, test, width, epochs, seed, note);
    note.measure(
        "free growth over length kept, rotation", free.rotation / kept.rotation, Bound.atMost(0.9));
    note.measure(
        "free growth over length kept, epochs until wrong labels are memorised",
        (double) free.memorised / kept.memorised,
        Bound.atLeast(1));
    note.measure(
        "free growth less length kept, best test error, points",
        free.best - kept.best,
        Bound.between(-1, 1));
    note.measure("free growth less length kept, last test error, points", free.last - kept.last);
    report(Arm.FREE, free, note);
    report(Arm.PROJECTED, kept, note);
    report(Arm.NONE, none, note);
  }

  private static void report(Arm arm, Outcome outcome, Notebook note) {
    String name = arm.words + ", ";
    note.measure(name + "‖W‖ at the end over the start", outcome.growth);
    note.measure(name + "rotation, radians", outcome.rotation);
    note.measure(name + "epochs until wrong labels are memorised", outcome.memorised);
    note.measure(name + "best test error, %", outcome.best);
    note.measure(name + "last test error, %", outcome.last);
    note.measure(name + "training error at the end, wrong labels included, %", outcome.train);
  }

  private static Outcome train(
      Arm arm, Points train, Points test, int width, int epochs, long seed, Notebook note) {
    double[] x = new double[epochs];
    double[] errors = new double[epochs];
    double[] trainErrors = new double[epochs];
    double rotation = 0;
    double growth;
    int memorised = epochs + 1;
    try (var _ = Scope.open()) {
      boolean normed = arm != Arm.NONE;
      var net = new Perceptron(DType.FLOAT32, width, normed, normed ? FACTOR : 1, 0, 0, seed);
      double[] first = net.squares();
      double learningRate = normed ? RATE : REST_RATE;
      for (int epoch = 0; epoch < epochs; epoch++) {
        int[] order = RandomKey.of(seed, "order").at(epoch).permutation(train.count());
        for (int from = 0; from + BATCH <= train.count(); from += BATCH) {
          note.alive();
          net.gradients(train, order, from, from + BATCH);
          var before = Movement.snapshot(net.net);
          net.step(learningRate, REST_RATE);
          double[] turned = Movement.since(before, net.net, learningRate).angle();
          rotation += (turned[0] + turned[1]) / 2;
          if (arm == Arm.PROJECTED) {
            project(net, first);
          }
        }
        x[epoch] = epoch + 1;
        errors[epoch] = net.error(test);
        trainErrors[epoch] = net.error(train);
        if (trainErrors[epoch] < 10 && memorised > epochs) {
          memorised = epoch + 1;
        }
      }
      double[] last = net.squares();
      growth = (Math.sqrt(last[0] / first[0]) + Math.sqrt(last[1] / first[1])) / 2;
    }
    note.curve("Test error", "epoch", "error in %", Scale.LINEAR, arm.words, x, errors);
    note.curve(
        "Training error, wrong labels included",
        "epoch",
        "error in %",
        Scale.LINEAR,
        arm.words,
        x,
        trainErrors);
    return new Outcome(
        rotation,
        growth,
        memorised,
        Arrays.stream(errors).min().orElseThrow(),
        errors[epochs - 1],
        trainErrors[epochs - 1]);
  }

  private static void project(Perceptron net, double[] squares) {
    double[] now = net.squares();
    for (int i = 0; i < squares.length; i++) {
      try (var _ = Scope.open()) {
        Param weight = net.hidden.get(i);
        weight.value().copy_(weight.value().times(Math.sqrt(squares[i] / now[i])));
      }
    }
  }
}
