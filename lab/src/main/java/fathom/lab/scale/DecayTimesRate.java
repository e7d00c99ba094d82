package fathom.lab.scale;

import fathom.DType;
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

/// Measures what weight decay does to normalised weights. Source of the claim: van Laarhoven 2017;
/// Li and Arora 2020; C5 of section 3.3 of the project's list of claims, with thresholds that were
/// set after a pilot with seed 11.
///
/// Weight decay does not keep the functions of a normalised net small, because the length of its
/// weights is no property of its function. Instead it sets how far a step turns the weights, in the
/// end by √(2ηλ). Four times the learning rate with a quarter of the decay ends at the same angle
/// and the same loss. Four times the learning rate with the same decay turns them twice as far.
///
/// Learning rate and decay are those of the two hidden matrices under layer norm, with plain SGD in
/// float64; gains, biases and the last product have one learning rate throughout. Two of five
/// labels are drawn anew at every step. The matrices start a tenth as long as He's, which changes
/// no function, because the equilibrium is reached sooner from below than from above.
///
/// The experiment does not show what the product of learning rate and decay should be.
final class DecayTimesRate implements Experiment {
  @Override
  public Statement statement() {
    return new Statement(
        "decay-times-rate",
        "What does weight decay do to weights whose length is nothing?",
        "Of the learning rate and the decay of normalised weights only the product counts in the"
            + " end: it sets the angle of a step, √(2ηλ), and the loss.",
        "van Laarhoven 2017; Li and Arora 2020; section 3.3, C5; thresholds set after a pilot with"
            + " seed 11",
        "15 s");
  }

  private static final int BATCH = 64;
  private static final double NOISE = 0.4;
  private static final double RATE = 0.1;
  private static final double DECAY = 0.01;
  private static final double REST_RATE = 0.05;

  /// The angle by which a step turns both matrices, in radians, and the loss, as means over the
  /// last quarter of the steps, and the test error in percent.
  record End(double angle, double loss, double error) {}

  @Override
  public void observe(Size size, long seed, Notebook note) {
    int steps = size.of(50, 2400, 10_000);
    int width = size.of(8, 48, 128);
    double turn = Math.sqrt(2 * RATE * DECAY);
    End middle = null;
    for (double k : new double[] {1, 0.25, 4}) {
      String name = "η×%s, λ×%s".formatted(words(k), words(1 / k));
      End end = train(name, k * RATE, DECAY / k, width, steps, seed, note);
      middle = middle == null ? end : middle;
      note.measure(
          name + ", angle of a step over √(2ηλ)", end.angle / turn, Bound.between(0.9, 1.1));
      note.measure(name + ", loss at the end, nats", end.loss);
      note.measure(name + ", test error, %", end.error);
      if (k != 1) {
        note.measure(
            name + ", loss at the end less that of η, λ, nats",
            end.loss - middle.loss,
            Bound.between(-0.02, 0.02));
      }
    }
    End other = train("η×4, λ", 4 * RATE, DECAY, width, steps, seed, note);
    note.measure(
        "η×4, λ, angle of a step over that of η, λ",
        other.angle / (middle == null ? Double.NaN : middle.angle),
        Bound.between(1.8, 2.2));
    note.measure("η×4, λ, loss at the end, nats", other.loss);
    note.measure("η×4, λ, test error, %", other.error);
  }

  private static String words(double k) {
    return k < 1 ? "1/" + Math.round(1 / k) : Long.toString(Math.round(k));
  }

  private static End train(
      String name,
      double learningRate,
      double decay,
      int width,
      int steps,
      long seed,
      Notebook note) {
    double[] angles = new double[steps];
    double[] losses = new double[steps];
    double error;
    try (var _ = Scope.open()) {
      Points data = Points.of(seed, "train", 1024);
      var net = new Perceptron(DType.FLOAT64, width, true, 0.1, 0, decay, seed);
      int perEpoch = data.count() / BATCH;
      for (int step = 0; step < steps; step++) {
        note.alive();
        int[] order = RandomKey.of(seed, "order").at(step / perEpoch).permutation(data.count());
        int from = step % perEpoch * BATCH;
        Points noisy = data.noisy(NOISE, RandomKey.of(seed, "fresh noise").bits(step));
        losses[step] = net.gradients(noisy, order, from, from + BATCH);
        var before = Movement.snapshot(net.net);
        net.step(learningRate, REST_RATE);
        double[] turned = Movement.since(before, net.net, learningRate).angle();
        angles[step] = (turned[0] + turned[1]) / 2;
      }
      error = net.error(Points.of(seed, "test", 2000));
    }
    int shown = 40;
    double[] x = new double[shown];
    double[] angle = new double[shown];
    double[] loss = new double[shown];
    for (int i = 0; i < shown; i++) {
      int from = steps * i / shown;
      int to = Math.max(from + 1, steps * (i + 1) / shown);
      x[i] = (from + to) / 2.0 + i * 1e-9; // x rises also where there are fewer steps
      angle[i] = mean(angles, from, to);
      loss[i] = mean(losses, from, to);
    }
    note.curve("Angle of a step", "step", "radians", Scale.LOG, name, x, angle);
    note.curve("Loss", "step", "cross-entropy in nats", Scale.LINEAR, name, x, loss);
    return new End(mean(angles, steps * 3 / 4, steps), mean(losses, steps * 3 / 4, steps), error);
  }

  private static double mean(double[] values, int from, int to) {
    return Arrays.stream(values, from, to).average().orElseThrow();
  }
}
