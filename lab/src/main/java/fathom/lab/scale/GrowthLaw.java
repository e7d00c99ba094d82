package fathom.lab.scale;

import fathom.DType;
import fathom.FlatParams;
import fathom.Layer;
import fathom.Param;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.Traced;
import fathom.lab.instrument.Movement;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.optim.Sgd;
import fathom.report.Scale;
import java.util.Arrays;
import java.util.List;

/// Measures how fast a normalised weight grows, and where weight decay stops it. Source of the
/// claim: Ba et al. 2016, section 5.2.2, by elementary means; van Laarhoven 2017; Kosson et al.
/// 2023; row 42 of the project's list of claims, and I8, I10 and I11 of its section 3.3.
///
/// G is at right angles to W, so by Pythagoras a step of learning rate η makes r² = ‖W‖² into r² +
/// η²‖G‖². With ‖G‖ = c/r, which follows from the zero return for any loss whose gradient has the
/// length c at r = 1, r⁴ grows by 2η²c² per step. Weight decay λ removes 4ηλr⁴, so r⁴ stands still
/// at ηc²/(2λ). There a step of length ηc/r turns W by √(2ηλ), whatever the loss. With momentum β a
/// gradient counts 1/(1 − β) times over its life and a step is √(1/(1 − β²)) gradients long, which
/// gives √(2ηλ/(1 + β)).
///
/// Pythagoras is measured in the training of a net of two hidden layers, in float64. The laws of r
/// are measured for gradients of noise: a matrix under layer norm whose cotangents are drawn at
/// every step, scaled so that ‖G‖·r = c. In a net that learns, c falls, so the experiment does not
/// show the laws there; `norm-growth` measures that.
final class GrowthLaw implements Experiment {
  static final double RATE = 0.1;
  static final double DECAY = 5e-3;
  private static final double MOMENTUM = 0.9;
  private static final int UNITS = 16;
  private static final int INPUTS = 12;
  private static final int CASES = 4;

  @Override
  public Statement statement() {
    return new Statement(
        "growth-law",
        "How fast does a normalised weight grow, and where does weight decay stop it?",
        "Every step adds its square to that of the length, so that ‖W‖⁴ grows by 2η²c² a step under"
            + " gradients of length c/‖W‖; with weight decay it ends at ηc²/(2λ), where each step"
            + " turns W by √(2ηλ).",
        "Ba et al. 2016, section 5.2.2, by elementary means; van Laarhoven 2017; Kosson et al."
            + " 2023; row 42",
        "10 s");
  }

  @Override
  public void observe(Size size, long seed, Notebook note) {
    note.measure(
        "net that learns, largest defect of ‖W₊‖² = ‖W‖² + η²‖G‖² in a step, relative",
        pythagoras(seed, size.of(20, 300, 1000), note),
        Bound.atMost(1e-12));
    int steps = size.of(200, 20_000, 20_000);
    Walk free = walk(0, 0, seed, steps, note);
    for (int t : new int[] {10, 100, 1000, 10_000, 20_000}) {
      if (t <= steps) {
        note.measure(
            "noise, ‖W‖ at step %s over the law".formatted(t),
            free.length[t] / law(t),
            Bound.between(0.995, 1.005));
      }
    }
    curves("‖W‖⁴ of noise, without weight decay", "measured", steps, note, t -> four(free, t));
    curves(
        "‖W‖⁴ of noise, without weight decay", "1 + 2η²c²t", steps, note, t -> Math.pow(law(t), 4));
    double end = RATE / (2 * DECAY);
    double turn = Math.sqrt(2 * RATE * DECAY);
    int decaySteps = size.of(200, 8000, 20_000); // it takes 500 to come nearer by a factor e
    Walk decayed = walk(0, DECAY, seed, decaySteps, note);
    note.measure(
        "weight decay, ‖W‖⁴ at the end over ηc²/(2λ)",
        decayed.fourth(decaySteps) / end,
        Bound.between(0.99, 1.01));
    note.measure(
        "weight decay, angle of a step at the end over √(2ηλ)",
        decayed.turn(decaySteps) / turn,
        Bound.between(0.99, 1.01));
    Walk heavy = walk(MOMENTUM, DECAY, seed, decaySteps, note);
    note.measure(
        "weight decay and momentum, angle of a step at the end over √(2ηλ/(1+β))",
        heavy.turn(decaySteps) / (turn / Math.sqrt(1 + MOMENTUM)),
        Bound.between(0.99, 1.01));
    note.measure(
        "weight decay and momentum, ‖W‖⁴ at the end over ηc²/(2λ(1−β))",
        heavy.fourth(decaySteps) / (end / (1 - MOMENTUM)),
        Bound.between(0.99, 1.01));
    int shown = decaySteps / 4;
    String title = "‖W‖⁴ of noise, with weight decay";
    curves(title, "measured", shown, note, t -> four(decayed, t));
    curves(
        title,
        "ηc²/(2λ) + (1 − ηc²/(2λ))·exp(−4ηλt)",
        shown,
        note,
        t -> end + (1 - end) * Math.exp(-4 * RATE * DECAY * t));
    title = "Angle of a step, with weight decay";
    curves(title, "measured", shown, note, t -> decayed.angle[t]);
    curves(title, "√(2ηλ)", shown, note, t -> turn);
    curves(title, "without weight decay", shown, note, t -> free.angle[t]);
  }

  private interface OfStep {
    double at(int t);
  }

  private static double four(Walk walk, int t) {
    return Math.pow(walk.length[t], 4);
  }

  private static void curves(String title, String name, int steps, Notebook note, OfStep y) {
    double[] x = new double[51];
    double[] values = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      x[i] = (int) ((long) steps * i / (x.length - 1));
      values[i] = y.at((int) x[i]);
    }
    if (steps >= x.length) {
      String unit = title.startsWith("Angle") ? "radians" : "‖W‖⁴";
      note.curve(title, "step", unit, Scale.LINEAR, name, x, values);
    }
  }

  /// Returns (1 + 2η²c²t)^¼ for c = 1.
  static double law(int t) {
    return Math.pow(1 + 2 * RATE * RATE * t, 0.25);
  }

  /// The length ‖W‖ before each step, which starts at 1, and the angle by which the step turns W,
  /// in radians.
  record Walk(double[] length, double[] angle) {
    /// Returns the mean of ‖W‖⁴ over the last quarter.
    double fourth(int steps) {
      return Arrays.stream(length, steps * 3 / 4, steps)
          .map(r -> Math.pow(r, 4))
          .average()
          .orElseThrow();
    }

    double turn(int steps) {
      return Arrays.stream(angle, steps * 3 / 4, steps).average().orElseThrow();
    }
  }

  /// Moves a matrix under layer norm along gradients of noise of length 1/‖W‖.
  static Walk walk(double momentum, double decay, long seed, int steps, Notebook note) {
    double[] length = new double[steps + 1];
    double[] angle = new double[steps + 1];
    RandomKey key = RandomKey.of(seed, "growth law");
    try (var _ = Scope.open()) {
      Tensor start = Tensor.normal(key, DType.FLOAT64, UNITS, INPUTS);
      Layer layer = Kind.LAYER.over(start.times(1 / Math.sqrt(Perceptron.square(start))), 0, seed);
      Param weight = Kind.weight(layer);
      var sgd = new Sgd(FlatParams.of(List.of(weight)), momentum, decay);
      for (int t = 0; t <= steps; t++) {
        note.alive();
        try (var _ = Scope.open()) {
          double r = Math.sqrt(Perceptron.square(weight.value()));
          RandomKey now = key.at(t);
          Traced traced = layer.forward(Tensor.normal(now.at(0), DType.FLOAT64, CASES, INPUTS));
          traced.accumulate(Tensor.normal(now.at(1), DType.FLOAT64, CASES, UNITS));
          Tensor g = weight.grad();
          g.copy_(g.times(1 / (r * Math.sqrt(Perceptron.square(g)))));
          var before = Movement.snapshot(layer);
          sgd.step(RATE);
          length[t] = r;
          angle[t] = Movement.since(before, layer, RATE).angle()[0];
        }
      }
    }
    return new Walk(length, angle);
  }

  /// Returns the largest relative error of Pythagoras over all steps of plain SGD and both hidden
  /// matrices.
  static double pythagoras(long seed, int steps, Notebook note) {
    int batch = 32;
    double learningRate = 0.3;
    double largest = 0;
    try (var _ = Scope.open()) {
      Points data = Points.of(seed, "train", 512);
      var net = new Perceptron(DType.FLOAT64, 32, true, 1, 0, 0, seed);
      for (int step = 0; step < steps; step++) {
        note.alive();
        int perEpoch = data.count() / batch;
        int[] order = RandomKey.of(seed, "order").at(step / perEpoch).permutation(data.count());
        int from = step % perEpoch * batch;
        net.gradients(data, order, from, from + batch);
        double[] before = net.squares();
        double[] gradients = net.gradientSquares();
        net.step(learningRate, learningRate);
        double[] after = net.squares();
        for (int i = 0; i < after.length; i++) {
          double expected = before[i] + learningRate * learningRate * gradients[i];
          largest = Math.max(largest, Math.abs(after[i] / expected - 1));
        }
      }
    }
    return largest;
  }
}
