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

/// Measures at how many learning rates a net learns, with layer norm and without. Source of the
/// claim: Arora et al. 2018 (1812.03981); C3 of section 3.3 of the project's list of claims.
///
/// Weights with a norm behind them grow under steps that are too long, until the learning rate that
/// their direction sees is small enough (see [GrowthLaw]), so that any learning rate should do. The
/// learning rate is that of the two hidden matrices, from 0.01 to 1000; gains, biases and the last
/// product have one learning rate throughout. The loss is that of all training points at the end.
///
/// The experiment does not show that all these learning rates generalise equally well.
final class LearningRates implements Experiment {
  private static final int BATCH = 64;
  private static final double REST_RATE = 0.05;
  private static final double[] RATES = {0.01, 0.1, 1, 10, 100, 1000};

  @Override
  public Statement statement() {
    return new Statement(
        "learning-rates",
        "How wrong may the learning rate of a net with layer norm be?",
        "By four decades: with layer norm it learns at every η from 0.1 to 1000; without a norm at"
            + " none from 10 on.",
        "Arora et al. 2018 (1812.03981); section 3.3, C3; thresholds set after a pilot with seed 11",
        "30 s");
  }

  @Override
  public void observe(Size size, long seed, Notebook note) {
    int steps = size.of(30, 800, 4000);
    int width = size.of(8, 48, 128);
    for (boolean normed : new boolean[] {true, false}) {
      String arm = normed ? "layer norm" : "no norm";
      double[] losses = new double[RATES.length];
      for (int i = 0; i < RATES.length; i++) {
        losses[i] = loss(normed, RATES[i], width, steps, seed, note);
        note.measure(
            "%s, η = %s, loss at the end, nats".formatted(arm, words(RATES[i])), losses[i]);
      }
      if (normed) {
        double[] learns = Arrays.copyOfRange(losses, 1, losses.length);
        note.measure(
            "layer norm, highest loss at η from 0.1 to 1000, nats",
            Arrays.stream(learns).map(LearningRates::orLarge).max().orElseThrow(),
            Bound.atMost(0.5));
      } else {
        double[] fails = Arrays.copyOfRange(losses, 3, losses.length);
        note.measure(
            "no norm, lowest loss at η from 10 to 1000, nats (100: diverged)",
            Arrays.stream(fails).map(LearningRates::orLarge).min().orElseThrow(),
            Bound.atLeast(1));
      }
      note.curve(
          "Training loss at the end by learning rate",
          "log₁₀ η",
          "cross-entropy in nats",
          Scale.LOG,
          arm,
          Arrays.stream(RATES).map(Math::log10).toArray(),
          losses);
    }
  }

  /// Returns 100 for a loss that is no number or larger than that.
  private static double orLarge(double loss) {
    return loss < 100 ? loss : 100;
  }

  private static String words(double rate) {
    return rate < 1 ? Double.toString(rate) : Long.toString(Math.round(rate));
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
