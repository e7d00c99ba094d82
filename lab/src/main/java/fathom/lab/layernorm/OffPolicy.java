package fathom.lab.layernorm;

import fathom.FlatParams;
import fathom.Layer;
import fathom.Layer.Child;
import fathom.Scope;
import fathom.Tensor;
import fathom.Traced;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.nn.Chain;
import fathom.nn.Dense;
import fathom.nn.Init;
import fathom.nn.LayerNorm;
import fathom.nn.Relu;
import fathom.optim.Sgd;
import fathom.report.Scale;
import java.util.ArrayList;

/// Row 53: temporal differences off policy and without a target net, on Baird's counterexample.
///
/// Seven states; the policy that is judged goes to the seventh from everywhere, rewards are 0, so
/// that all values are 0, and a linear function of the features can say so. It learns from all
/// states alike, of which that policy would see one: with δ(s) = γ·v(s₇) − v(s), γ = 0.99, each
/// update is w ← w + α·mean of δ(s)·∇v(s), α = 0.01, the mean over states being exact. No number is
/// drawn but the weights at the start, all is in float64.
///
/// The functions are linear in the features, from the book's weights; linear in their layer norm;
/// and nets 8-64-1 without a norm and with layer norm behind a bias, each without and with weight
/// decay. The nets begin with the book's values too, 3 and for the seventh state 12: the head is
/// fitted to say so ([#fit]). What diverges is stopped above 10⁹.
///
/// It is one counterexample: it shows what can happen, and says nothing of how often. In the pilot
/// (seeds 11 to 18) nets that began with He's head instead, whose values are below 4, diverged
/// without a norm for about half of the seeds. The bounds were set after it.
final class OffPolicy implements Experiment {
  static final int STATES = 7;
  static final int FEATURES = 8;
  static final double GAMMA = 0.99;
  static final double ALPHA = 0.01;

  private static final int WIDTH = 64;
  private static final double DIVERGED = 1e9;
  private static final double DECAY = 0.1;

  /// Charts end here.
  private static final double DRAWN = 1e6;

  @Override
  public Statement statement() {
    return new Statement(
        "off-policy",
        "Does layer norm make temporal differences stable off policy and without a target net?",
        "On Baird's counterexample a net without a norm diverges, with weight decay too; with layer"
            + " norm it stays bounded, and with weight decay it finds that all values are 0.",
        "Baird 1995; Sutton and Barto 2018, example 11.1; Gallici et al. 2024, 2407.04811; row 53,"
            + " bounds after a pilot",
        "10 s");
  }

  /// How the values go.
  ///
  /// @param updates of how many there is a number in `largest`, the largest |v| after so many or
  ///   10⁶ if that is less
  /// @param ever the largest |v| after any update
  /// @param last how many updates were made
  private record Course(double[] updates, double[] largest, double ever, int last) {
    double end() {
      return largest[largest.length - 1];
    }
  }

  @Override
  public void observe(Size size, long seed, Notebook note) {
    int updates = size.of(50, 5000, 50_000);
    linear("linear", features(), note);
    linear("linear, of the layer norm of the features", normed(), note);
    for (boolean norm : new boolean[] {false, true}) {
      for (double decay : new double[] {0, DECAY}) {
        String name = (norm ? "layer norm" : "no norm") + (decay > 0 ? " and weight decay" : "");
        Course course = course(norm, decay, updates, seed, note);
        if (norm) {
          note.measure(name + ", largest value on the way", course.ever, Bound.atMost(1000));
          note.measure(
              name + ", largest value at the end",
              course.end(),
              decay > 0 ? Bound.atMost(0.05) : Bound.NONE);
        } else {
          note.measure(
              name + ", updates until a value is above 10⁹", course.last, Bound.atMost(1000));
        }
        note.curve(
            "Values on Baird's counterexample",
            "updates",
            "largest value, drawn up to 10⁶",
            Scale.LOG,
            name,
            course.updates,
            course.largest);
      }
    }
  }

  private static void linear(String name, double[][] features, Notebook note) {
    double[] w = start();
    for (int t = 0; t < 1000; t++) {
      w = updated(features, w);
    }
    note.measure(
        name + ", largest value after 1000 updates, of 12 at the start",
        Doubles.largest(values(features, w)),
        Bound.atLeast(120));
  }

  /// State i of the first six is 2·wᵢ + w₈, the seventh is w₇ + 2·w₈.
  static double[][] features() {
    double[][] features = new double[STATES][FEATURES];
    for (int s = 0; s < STATES; s++) {
      boolean last = s == STATES - 1;
      features[s][s] = last ? 1 : 2;
      features[s][FEATURES - 1] = last ? 2 : 1;
    }
    return features;
  }

  /// The book's: 1, and 10 for w₇.
  static double[] start() {
    return new double[] {1, 1, 1, 1, 1, 1, 10, 1};
  }

  static double[] values(double[][] features, double[] w) {
    double[] v = new double[STATES];
    for (int s = 0; s < STATES; s++) {
      for (int f = 0; f < FEATURES; f++) {
        v[s] += features[s][f] * w[f];
      }
    }
    return v;
  }

  /// The weights of a linear function after one update.
  static double[] updated(double[][] features, double[] w) {
    double[] error = errors(values(features, w));
    double[] next = w.clone();
    for (int s = 0; s < STATES; s++) {
      for (int f = 0; f < FEATURES; f++) {
        next[f] += ALPHA * error[s] * features[s][f] / STATES;
      }
    }
    return next;
  }

  /// δ(s), for values of the states.
  private static double[] errors(double[] v) {
    double[] error = new double[STATES];
    for (int s = 0; s < STATES; s++) {
      error[s] = GAMMA * v[STATES - 1] - v[s];
    }
    return error;
  }

  private static double[][] normed() {
    double[][] rows = new double[STATES][FEATURES];
    try (var _ = Scope.open()) {
      double[] all = Doubles.of(LayerNorm.plain(FEATURES)).predict(inputs()).toDoubles();
      for (int i = 0; i < all.length; i++) {
        rows[i / FEATURES][i % FEATURES] = all[i];
      }
    }
    return rows;
  }

  private static Tensor inputs() {
    double[] all = new double[STATES * FEATURES];
    for (int s = 0; s < STATES; s++) {
      System.arraycopy(features()[s], 0, all, s * FEATURES, FEATURES);
    }
    return Tensor.of(all, STATES, FEATURES);
  }

  static Chain net(boolean norm, long seed) {
    Init init = Init.he(seed);
    var parts = new ArrayList<Child>();
    parts.add(new Child("dense", Dense.of(init, "dense", FEATURES, WIDTH)));
    if (norm) {
      parts.add(new Child("norm", LayerNorm.of(WIDTH)));
    }
    parts.add(new Child("relu", new Relu()));
    parts.add(new Child("head", Dense.of(init, "head", WIDTH, 1)));
    Chain net = new Chain(parts);
    Doubles.convert(net);
    fit(net);
    return net;
  }

  /// Moves the head by as little as it takes to give the states the values that the book's weights
  /// give them: each state in turn puts its own value right (Kaczmarz 1937).
  static void fit(Chain net) {
    var children = net.children();
    Tensor h = new Chain(children.subList(0, children.size() - 1)).predict(inputs());
    double[] units = h.toDoubles();
    double[] right = values(features(), start());
    Tensor weight = ((Dense) children.getLast().layer()).weight().value();
    double[] u = weight.toDoubles();
    for (int sweep = 0; sweep < 1000; sweep++) {
      for (int s = 0; s < STATES; s++) {
        double missed = right[s];
        double squares = 0;
        for (int i = 0; i < WIDTH; i++) {
          missed -= u[i] * units[s * WIDTH + i];
          squares += Math.pow(units[s * WIDTH + i], 2);
        }
        for (int i = 0; i < WIDTH; i++) {
          u[i] += missed / squares * units[s * WIDTH + i];
        }
      }
    }
    weight.copy_(u);
  }

  private static Course course(boolean norm, double decay, int updates, long seed, Notebook note) {
    try (var _ = Scope.open()) {
      return course(net(norm, seed), decay, updates, note);
    }
  }

  private static Course course(Layer net, double decay, int updates, Notebook note) {
    var at = new ArrayList<Double>();
    var values = new ArrayList<Double>();
    double ever = 0;
    int t = 0;
    var sgd = new Sgd(FlatParams.of(net.params()), 0, decay);
    for (; t <= updates && ever <= DIVERGED; t++) {
      note.alive();
      try (var _ = Scope.open()) {
        Traced v = net.forward(inputs());
        double[] error = errors(v.value().toDoubles());
        double largest = Doubles.largest(v.value().toDoubles());
        ever = largest <= DIVERGED ? Math.max(ever, largest) : Double.POSITIVE_INFINITY;
        if (ever > DIVERGED || t < 20 || t % 100 == 0) {
          at.add((double) t);
          values.add(Math.clamp(Double.isNaN(largest) ? DRAWN : largest, 1e-12, DRAWN));
        }
        for (int s = 0; s < STATES; s++) {
          error[s] /= -STATES; // what is followed downhill
        }
        v.accumulate(Tensor.of(error, STATES, 1));
        sgd.step(ALPHA);
      }
    }
    return new Course(
        at.stream().mapToDouble(d -> d).toArray(),
        values.stream().mapToDouble(d -> d).toArray(),
        ever,
        t - 1);
  }
}
