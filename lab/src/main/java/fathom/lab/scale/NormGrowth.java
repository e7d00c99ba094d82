package fathom.lab.scale;

import fathom.DType;
import fathom.RandomKey;
import fathom.Scope;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.report.Scale;

/// Measures whether a net that learns follows the law of [GrowthLaw], where ‖G‖·‖W‖ is not set.
/// Source of the claim: van Laarhoven 2017; Arora et al. 2018; C2 of section 3.3 of the project's
/// list of claims. The thresholds are those of the prediction, kept after a pilot with seed 11.
///
/// The net has two hidden layers under layer norm, trained by plain SGD without weight decay in
/// float64. Two of five labels are drawn anew at every step, so that gradients do not vanish when
/// the net has learned what can be learned. The matrices start a tenth as long as He's, which
/// changes no function, so that their first length soon has no influence.
///
/// The experiment does not show the law for nets whose gradients fall as they learn.
final class NormGrowth implements Experiment {
  @Override
  public Statement statement() {
    return new Statement(
        "norm-growth",
        "Does a net that learns follow the law of growth, and what becomes of its learning rate?",
        "With noise in its gradients and no weight decay a net's normalised weights grow as"
            + " steps^¼, so that the learning rate that their direction sees falls as 1/√steps, to the same"
            + " whatever η is.",
        "van Laarhoven 2017; Arora et al. 2018; section 3.3, C2; thresholds are the prediction's,"
            + " kept after a pilot with seed 11",
        "15 s");
  }

  private static final int BATCH = 64;
  private static final double NOISE = 0.4;
  private static final double RATE = 0.1;
  private static final double REST_RATE = 0.05;

  /// The squared lengths of both hidden matrices after each number of steps, and the fourth powers
  /// of their lengths that the law predicts from the measured gradients.
  record Growth(double[][] squares, double[][] laws) {
    double length(int matrix, int step) {
      return Math.sqrt(squares[step][matrix]);
    }

    /// Returns the least-squares slope of log ‖W‖ by log t in the last decade of steps.
    double slope(int matrix) {
      int end = squares.length - 1;
      double n = 0;
      double x = 0;
      double y = 0;
      double xx = 0;
      double xy = 0;
      for (int i = 0; i <= 40; i++) {
        int t = (int) Math.round(end * Math.pow(10, i / 40.0 - 1));
        double u = Math.log(t);
        double v = Math.log(length(matrix, t));
        n++;
        x += u;
        y += v;
        xx += u * u;
        xy += u * v;
      }
      return (n * xy - x * y) / (n * xx - x * x);
    }
  }

  @Override
  public void observe(Size size, long seed, Notebook note) {
    int steps = size.of(50, 3000, 20_000);
    int width = size.of(8, 48, 128);
    Growth growth = grow(RATE, width, steps, seed, note);
    Growth faster = grow(4 * RATE, width, steps, seed, note);
    for (int m = 0; m < 2; m++) {
      String name = "hidden layer %s, ".formatted(m + 1);
      note.measure(name + "slope of log ‖W‖ by log t", growth.slope(m), Bound.between(0.2, 0.3));
      note.measure(
          name + "η/‖W‖²·√t at the end over that at a tenth of the steps",
          Math.sqrt(10) * growth.squares[steps / 10][m] / growth.squares[steps][m],
          Bound.between(0.79, 1.26)); // slopes of 0.2 and 0.3 over a decade
      note.measure(
          name + "‖W‖⁴ at the end over ‖W₀‖⁴ + 2η²Σ‖G‖²‖W‖²",
          Math.pow(growth.squares[steps][m], 2) / growth.laws[steps][m],
          Bound.between(0.9, 1.1));
      note.measure(
          name + "η/‖W‖² at the end, at 4η over at η",
          4 * growth.squares[steps][m] / faster.squares[steps][m],
          Bound.between(0.8, 1.25));
      curves(m, growth, steps, note);
    }
  }

  private static void curves(int m, Growth growth, int steps, Notebook note) {
    double[] x = new double[51];
    double[] measured = new double[x.length];
    double[] law = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      int t = (int) ((long) steps * i / (x.length - 1));
      x[i] = t;
      measured[i] = Math.pow(growth.squares[t][m], 2);
      law[i] = growth.laws[t][m];
    }
    String title = "‖W‖⁴ of hidden layer %s of a net that learns".formatted(m + 1);
    note.curve(title, "step", "‖W‖⁴", Scale.LINEAR, "measured", x, measured);
    note.curve(title, "step", "‖W‖⁴", Scale.LINEAR, "‖W₀‖⁴ + 2η²Σ‖G‖²‖W‖²", x, law);
  }

  static Growth grow(double learningRate, int width, int steps, long seed, Notebook note) {
    double[][] squares = new double[steps + 1][];
    double[][] laws = new double[steps + 1][2];
    try (var _ = Scope.open()) {
      Points data = Points.of(seed, "train", 1024);
      var net = new Perceptron(DType.FLOAT64, width, true, 0.1, 0, 0, seed);
      squares[0] = net.squares();
      for (int m = 0; m < 2; m++) {
        laws[0][m] = squares[0][m] * squares[0][m];
      }
      int perEpoch = data.count() / BATCH;
      for (int step = 0; step < steps; step++) {
        note.alive();
        int[] order = RandomKey.of(seed, "order").at(step / perEpoch).permutation(data.count());
        int from = step % perEpoch * BATCH;
        Points noisy = data.noisy(NOISE, RandomKey.of(seed, "fresh noise").bits(step));
        net.gradients(noisy, order, from, from + BATCH);
        double[] gradients = net.gradientSquares();
        for (int m = 0; m < 2; m++) {
          laws[step + 1][m] =
              laws[step][m] + 2 * learningRate * learningRate * gradients[m] * squares[step][m];
        }
        net.step(learningRate, REST_RATE);
        squares[step + 1] = net.squares();
      }
    }
    return new Growth(squares, laws);
  }
}
