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
import java.util.Arrays;

/// Measures whether a longer weight can be distinguished from a lower learning rate. Source of the
/// claim: van Laarhoven 2017; row 43 of the project's list of claims, and I9 of its section 3.3.
///
/// Two nets of one function have the hidden matrices w and kw. The gradient of the second is 1/k of
/// that of the first, so at k² times the learning rate its step is k times as long, and leads to
/// kw₊: the same function again. The same holds for the velocity of momentum, and for weight decay
/// divided by k². Gains, biases and the last product have the learning rate of the first net in
/// both.
///
/// The numbers are float64. A factor of 2 is exact in binary numbers, so the factor 3 is measured
/// too. The experiment does not show this for adaptive optimizers such as Adam.
final class ScaledTwins implements Experiment {
  @Override
  public Statement statement() {
    return new Statement(
        "scaled-twins",
        "Can a longer weight be told from a lower learning rate?",
        "No: behind layer norm a net whose weights are k times as long, trained at k² times the"
            + " learning rate, is the same function after every step, with momentum and weight decay too.",
        "van Laarhoven 2017; row 43",
        "5 s");
  }

  private static final int BATCH = 32;
  private static final double RATE = 0.1;
  private static final double DECAY = 1e-3;

  /// The training of the first of two twins.
  record Arm(String name, double momentum, double decay) {}

  static final Arm[] ARMS = {
    new Arm("SGD", 0, 0), new Arm("momentum", 0.9, 0), new Arm("momentum and decay", 0.9, DECAY)
  };

  @Override
  public void observe(Size size, long seed, Notebook note) {
    int steps = size.of(10, 200, 1000);
    int width = size.of(8, 32, 64);
    for (Arm arm : ARMS) {
      Apart twin = apart(arm, width, 2, 4, steps, seed, note);
      Apart same = apart(arm, width, 2, 1, steps, seed, note);
      for (double factor : new double[] {2, 3}) {
        Apart apart =
            factor == 2 ? twin : apart(arm, width, factor, factor * factor, steps, seed, note);
        String name = "%s, ×%s, ".formatted(arm.name, (int) factor);
        note.measure(name + "largest difference of the values", apart.values, Bound.atMost(1e-8));
        note.measure(
            name + "largest relative difference of the weights", apart.weights, Bound.atMost(1e-8));
      }
      note.measure(
          arm.name + ", ×2 at the same learning rate, largest difference of the values",
          same.values,
          Bound.atLeast(1e-2));
      double[] x = new double[steps];
      Arrays.setAll(x, i -> i);
      String title = "Loss of the batch, " + arm.name;
      curve(title, "W, learning rate η", x, twin.losses, note);
      curve(title, "2W, learning rate 4η", x, twin.twinLosses, note);
      curve(title, "2W, learning rate η", x, same.twinLosses, note);
    }
  }

  private static void curve(String title, String name, double[] x, double[] y, Notebook note) {
    note.curve(title, "step", "cross-entropy in nats", Scale.LOG, name, x, y);
  }

  /// The distance of two nets: the largest difference of an output for any of the points after any
  /// step, and of the weights, as a share of their length; and the losses of both.
  record Apart(double values, double weights, double[] losses, double[] twinLosses) {}

  /// Trains a net, and its twin with `factor` times the hidden weights at `faster` times the
  /// learning rate.
  static Apart apart(
      Arm arm, int width, double factor, double faster, int steps, long seed, Notebook note) {
    double[] losses = new double[steps];
    double[] twinLosses = new double[steps];
    double values = 0;
    double weights = 0;
    try (var _ = Scope.open()) {
      Points data = Points.of(seed, "train", 256);
      var net = new Perceptron(DType.FLOAT64, width, true, 1, arm.momentum, arm.decay, seed);
      var twin =
          new Perceptron(
              DType.FLOAT64, width, true, factor, arm.momentum, arm.decay / faster, seed);
      for (int step = 0; step < steps; step++) {
        note.alive();
        int perEpoch = data.count() / BATCH;
        int[] order = RandomKey.of(seed, "order").at(step / perEpoch).permutation(data.count());
        int from = step % perEpoch * BATCH;
        losses[step] = net.gradients(data, order, from, from + BATCH);
        twinLosses[step] = twin.gradients(data, order, from, from + BATCH);
        net.step(RATE, RATE);
        twin.step(faster * RATE, RATE);
        values = Math.max(values, difference(net.values(data), twin.values(data), 1));
        weights = Math.max(weights, weights(net, twin, factor));
      }
    }
    return new Apart(values, weights, losses, twinLosses);
  }

  private static double weights(Perceptron net, Perceptron twin, double factor) {
    double largest = 0;
    for (int i = 0; i < net.hidden.size(); i++) {
      double[] w = net.hidden.get(i).value().toDoubles();
      double[] of = twin.hidden.get(i).value().toDoubles();
      double length = Math.sqrt(Perceptron.square(net.hidden.get(i).value()));
      largest = Math.max(largest, difference(w, of, factor) / length);
    }
    return largest;
  }

  /// Returns the largest |aᵢ − bᵢ/factor|.
  private static double difference(double[] a, double[] b, double factor) {
    double largest = 0;
    for (int i = 0; i < a.length; i++) {
      double d = Math.abs(a[i] - b[i] / factor);
      largest = Double.isNaN(d) ? Double.NaN : Math.max(largest, d);
    }
    return largest;
  }
}
