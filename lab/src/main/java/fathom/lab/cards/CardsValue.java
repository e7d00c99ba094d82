package fathom.lab.cards;

import fathom.DType;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.blackjack.QuickExpectation;
import fathom.lab.instrument.LinearProbe;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.nn.Chain;
import fathom.nn.Init;
import fathom.report.Scale;

/// Measures how well nets with each kind of norm learn the value of the next hand of blackjack from
/// the cards that are gone. Source of the claim: a reader's objection to layer normalization; Zhang
/// et al. 2022 ("Set Norm"), 2206.11925.
///
/// One deck is used, of which 4 to 26 cards are gone. The target is the expectation of a round by
/// basic strategy for that composition ([QuickExpectation]), divided by the standard deviation of
/// all targets. The result is R² on other shoes of this kind, and on shoes of which 27 to 39 cards
/// are gone, which is more than a net has seen in training.
///
/// *Before and behind the norm.* In the trained nets, linear probes read the number of cards gone
/// and the true count from the activations before and behind the first norm.
///
/// *Lesion.* In the net without a norm, the mean, or mean and standard deviation, of the first
/// layer are set, shoe by shoe, to their averages over all shoes: a' = (a − μ)/σ·σ̄ + μ̄. If R²
/// falls, the net used them. A probe alone does not show that, because a quantity that can be read
/// need not be used.
///
/// The bounds are this project's, set after a pilot with the seeds 11 and 12. The experiment does
/// not show that a net learns this from the noisy results of single rounds; `cards-agent` measures
/// that.
final class CardsValue implements Experiment {
  private static final String HELD = ", R² on other shoes";
  private static final int HALF = 26;
  private static final int MOST = 39;

  @Override
  public Statement statement() {
    return new Statement(
        "cards-value",
        "Can a net with layer norm learn what a count of cards is worth?",
        "Without a bias before the norm it cannot, because it does not know how many cards are"
            + " gone; with one, with its moments, or beside an un-normalised stream it learns it as"
            + " well as without a norm, and the net without a norm uses its moments.",
        "a reader's objection to layer normalization; Zhang et al. 2022 (\"Set Norm\"), 2206.11925;"
            + " bounds of this project, after a pilot",
        "60 s");
  }

  /// Shoes and the expectation of a round from each.
  private record Labelled(Depleted shoes, double[] worth) {
    static Labelled of(RandomKey key, int count, int least, int most, Notebook note) {
      var shoes = Depleted.of(key, 1, count, least, most);
      var expectation = new QuickExpectation(OneDeck.RULES, OneDeck.BASIC);
      double[] worth = new double[count];
      for (int i = 0; i < count; i++) {
        note.alive();
        worth[i] = expectation.of(shoes.shoe(i));
      }
      return new Labelled(shoes, worth);
    }
  }

  @Override
  public void observe(Size size, long seed, Notebook note) {
    Labelled train =
        Labelled.of(RandomKey.of(seed, "train"), size.of(64, 6000, 40_000), 4, HALF, note);
    Labelled test = Labelled.of(RandomKey.of(seed, "test"), size.of(32, 1500, 5000), 4, HALF, note);
    Labelled longer =
        Labelled.of(RandomKey.of(seed, "longer"), size.of(16, 1000, 5000), HALF + 1, MOST, note);
    double mean = Table.mean(train.worth);
    double standardDeviation = Math.sqrt(variance(train.worth, mean));
    note.measure("standard deviation of the expectation, % of a bet", 100 * standardDeviation);
    float[] targets = new float[train.worth.length];
    for (int t = 0; t < targets.length; t++) {
      targets[t] = (float) ((train.worth[t] - mean) / standardDeviation);
    }
    var training = new Regression(3e-3, size.of(32, 64, 64), size.of(1, 12, 20));
    double[] at = new double[Arm.values().length];
    double[] within = new double[at.length];
    double[] beyond = new double[at.length];
    int i = 0;
    for (Arm arm : Arm.values()) {
      try (var _ = Scope.open()) {
        float[] inputs = floats(train.shoes.inputs(DType.FLOAT32));
        Chain net = arm.build(Init.he(seed));
        boolean finite = training.fit(net, inputs, targets, seed, note);
        double r2 = finite ? score(net, test, mean, standardDeviation) : Double.NaN;
        double far = finite ? score(net, longer, mean, standardDeviation) : Double.NaN;
        note.measure(arm + HELD, r2);
        note.measure(arm + ", R² where more cards are gone", far);
        probes(arm, net, test, note);
        at[i] = i + 1;
        within[i] = r2;
        beyond[i++] = far;
        if (arm == Arm.NO_NORM) {
          lesions(net, test, mean, standardDeviation, r2, note);
        }
      }
    }
    bounds(note);
    String axis =
        "1 no norm, 2 batch norm, 3 layer norm, 4 behind a bias, 5 a drawn one, 6 RMS norm, 7"
            + " beside a stream, 8 with moments, 9 dynamic tanh, 10 reference units";
    note.curve(
        "What a trained net knows of the next hand",
        axis,
        "R²",
        Scale.LINEAR,
        "4 to 26 cards gone",
        at,
        within);
    note.curve(
        "What a trained net knows of the next hand",
        axis,
        "R²",
        Scale.LINEAR,
        "27 to 39 cards gone",
        at,
        beyond);
  }

  private static void bounds(Notebook note) {
    double none = note.value(Arm.NO_NORM + HELD);
    note.measure(
        "no norm less layer norm, R²",
        none - note.value(Arm.LAYER_NORM + HELD),
        Bound.atLeast(0.08));
    note.measure(
        "no norm less RMS norm, R²", none - note.value(Arm.RMS_NORM + HELD), Bound.atLeast(0.08));
    for (Arm arm :
        new Arm[] {
          Arm.LAYER_NORM_BIAS, Arm.LAYER_NORM_DRAWN, Arm.RESIDUAL, Arm.MOMENTS, Arm.BATCH_NORM
        }) {
      note.measure(
          "no norm less %s, R²".formatted(arm), none - note.value(arm + HELD), Bound.atMost(0.02));
    }
  }

  private static double score(Chain net, Labelled on, double mean, double standardDeviation) {
    double[] y = Regression.predict(net, on.shoes.inputs(DType.FLOAT32));
    for (int i = 0; i < y.length; i++) {
      y[i] = mean + standardDeviation * y[i];
    }
    return Table.r2(y, on.worth);
  }

  private static void probes(Arm arm, Chain net, Labelled test, Notebook note) {
    Tensor x = test.shoes.inputs(DType.FLOAT32);
    double[][] before = Table.rows(Regression.upTo(net, 1, x));
    probe(arm + ", before the norm", before, test, note);
    if (arm != Arm.NO_NORM) {
      probe(arm + ", behind the norm", Table.rows(Regression.upTo(net, 2, x)), test, note);
    } else {
      double[] cards = test.shoes.total();
      note.measure(
          "no norm, R² of all cards from the mean", LinearProbe.r2(Table.means(before), cards));
      note.measure(
          "no norm, R² of the true count from the mean",
          LinearProbe.r2(Table.means(before), test.shoes.trueCount()));
    }
  }

  private static void probe(String where, double[][] rows, Labelled test, Notebook note) {
    note.measure(where + ", R² of all cards", LinearProbe.r2(rows, test.shoes.total()));
    note.measure(where + ", R² of the true count", LinearProbe.r2(rows, test.shoes.trueCount()));
  }

  private static void lesions(
      Chain net,
      Labelled test,
      double mean,
      double standardDeviation,
      double whole,
      Notebook note) {
    for (boolean both : new boolean[] {false, true}) {
      double[][] a = Table.rows(Regression.upTo(net, 1, test.shoes.inputs(DType.FLOAT32)));
      double[][] means = Table.means(a);
      double[][] standardDeviations = Table.standardDeviations(a);
      double middle = 0;
      double spread = 0;
      for (int i = 0; i < a.length; i++) {
        middle += means[i][0] / a.length;
        spread += standardDeviations[i][0] / a.length;
      }
      float[] lesioned = new float[a.length * Arm.WIDTH];
      for (int i = 0; i < lesioned.length; i++) {
        int row = i / Arm.WIDTH;
        double factor = both ? spread / standardDeviations[row][0] : 1;
        lesioned[i] = (float) ((a[row][i % Arm.WIDTH] - means[row][0]) * factor + middle);
      }
      double[] y =
          Regression.predict(Regression.from(net, 1), Tensor.of(lesioned, a.length, Arm.WIDTH));
      for (int i = 0; i < y.length; i++) {
        y[i] = mean + standardDeviation * y[i];
      }
      note.measure(
          both
              ? "no norm, R² lost with mean and standard deviation"
              : "no norm, R² lost with the mean",
          whole - Table.r2(y, test.worth),
          both ? Bound.atLeast(0.05) : Bound.NONE);
    }
  }

  private static double variance(double[] x, double mean) {
    double sum = 0;
    for (double v : x) {
      sum += (v - mean) * (v - mean);
    }
    return sum / x.length;
  }

  private static float[] floats(Tensor x) {
    double[] all = x.toDoubles();
    float[] some = new float[all.length];
    for (int i = 0; i < all.length; i++) {
      some[i] = (float) all[i];
    }
    return some;
  }
}
