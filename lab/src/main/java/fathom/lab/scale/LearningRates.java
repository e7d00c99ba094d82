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
import java.util.Locale;

/// Measures at how many learning rates a net learns, with layer norm and without. Source of the
/// claim: Arora et al. 2018 (1812.03981); C3 of section 3.3 of the project's list of claims.
///
/// Weights with a norm behind them grow under steps that are too long, until the learning rate that
/// their direction sees is small enough (see [GrowthLaw]), so that any learning rate should do. The
/// learning rate is that of the two hidden matrices, from 0.01 to 30; gains, biases and the last
/// product have one learning rate throughout. The loss is that of all training points at the end.
///
/// The experiment does not show that all these learning rates generalise equally well.
final class LearningRates implements Experiment {
  private static final int BATCH = 64;
  private static final double REST_RATE = 0.05;
  private static final double[] RATES = {0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30};

  @Override
  public Statement statement() {
    return new Statement(
        "learning-rates",
        "How wrong may the learning rate of a net with layer norm be?",
        "With layer norm a net learns at learning rates over three decades and more and diverges at"
            + " none; without a norm it learns over half as many decades, and not above 1.",
        "Arora et al. 2018 (1812.03981); section 3.3, C3",
        "30 s");
  }

  @Override
  public void observe(Size size, long seed, Notebook note) {
    int steps = size.of(30, 800, 4000);
    int width = size.of(8, 48, 128);
    double[] spans = new double[2];
    for (boolean normed : new boolean[] {true, false}) {
      String arm = normed ? "layer norm" : "no norm";
      double[] losses = new double[RATES.length];
      for (int i = 0; i < RATES.length; i++) {
        losses[i] = loss(normed, RATES[i], width, steps, seed, note);
        note.measure(
            String.format(Locale.ROOT, "%s, η = %s, loss at the end, nats", arm, words(RATES[i])),
            losses[i]);
      }
      spans[normed ? 1 : 0] = decades(losses);
      note.measure(
          arm + ", decades of η that learn",
          spans[normed ? 1 : 0],
          normed ? Bound.atLeast(3) : Bound.NONE);
      note.curve(
          "Training loss at the end by learning rate",
          "log₁₀ η",
          "cross-entropy in nats",
          Scale.LOG,
          arm,
          Arrays.stream(RATES).map(Math::log10).toArray(),
          losses);
    }
    note.measure(
        "decades of η that learn, no norm over layer norm", spans[0] / spans[1], Bound.atMost(0.6));
  }

  private static String words(double rate) {
    return rate < 1 ? Double.toString(rate) : Long.toString(Math.round(rate));
  }

  /// Returns the decades between the smallest and the largest learning rate with a loss of at most
  /// 0.5 nats, where chance is 2.3.
  private static double decades(double[] losses) {
    double low = Double.NaN;
    double high = Double.NaN;
    for (int i = 0; i < losses.length; i++) {
      if (losses[i] <= 0.5) {
        low = Double.isNaN(low) ? Math.log10(RATES[i]) : low;
        high = Math.log10(RATES[i]);
      }
    }
    return Double.isNaN(low) ? 0 : high - low;
  }

  private static double loss(
      boolean normed, double rate, int width, int steps, long seed, Notebook note) {
    try (var _ = Scope.open()) {
      Points data = Points.of(seed, "train", 1024);
      var net = new Perceptron(DType.FLOAT64, width, normed, 1, 0, 0, seed);
      int perEpoch = data.count() / BATCH;
      for (int step = 0; step < steps; step++) {
        note.alive();
        int[] order = RandomKey.of(seed, "order").at(step / perEpoch).permutation(data.count());
        int from = step % perEpoch * BATCH;
        double loss = net.gradients(data, order, from, from + BATCH);
        if (!Double.isFinite(loss)) {
          return Double.NaN;
        }
        net.step(rate, REST_RATE);
      }
      int[] all = new int[data.count()];
      Arrays.setAll(all, i -> i);
      return net.gradients(data, all, 0, data.count());
    }
  }
}
