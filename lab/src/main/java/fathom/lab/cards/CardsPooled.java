package fathom.lab.cards;

import fathom.DType;
import fathom.FlatParams;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.Traced;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.loss.CrossEntropy;
import fathom.loss.SquaredError;
import fathom.nn.Chain;
import fathom.nn.Init;
import fathom.optim.Adam;
import fathom.report.Scale;
import java.util.Arrays;

/// Row 57: layer norm behind the mean of a set, as behind attention that looks at all alike.
///
/// A set of cards is the mean of their codes, of which a deck's mean is zero: x = 13·(share of the
/// rank) − 1, so that x is zero for a shoe that is drawn evenly, and shrinks as 1/√n with the
/// number n of cards. A net 13-64-64 reads it and says which rank there is most of (sets without a
/// single one are left out), or the count per card: low cards less high cards, over n, which is
/// linear in x. It learns from sets of 20 cards of a six-deck shoe, and is tested on 20, on 60 and
/// on 240.
///
/// Of how many cards there were the mean says nothing, with and without a norm; so what is asked
/// for is the count per card, which a mean keeps. The two bounds of the row, "a dissociation of
/// both signs", had no numbers; two points and 0.1 were set before the pilot with the seeds 11 to
/// 13.
final class CardsPooled implements Experiment {
  private static final int DECKS = 6;
  private static final int[] CARDS = {20, 60, 240};
  private static final Arm[] ARMS = {Arm.NO_NORM, Arm.LAYER_NORM, Arm.LAYER_NORM_BIAS};

  @Override
  public Statement statement() {
    return new Statement(
        "cards-pooled",
        "What does layer norm behind a mean over cards do to sets that are longer than in"
            + " training?",
        "It helps to say which rank there is most of, which is a direction, and harms the count per"
            + " card, which is a size.",
        "Brody et al. 2023, 2305.02582; Li et al. 2025, 2504.02827; row 57",
        "20 s");
  }

  /// Sets of cards with a single most frequent rank.
  ///
  /// @param inputs N×13
  /// @param most the most frequent rank, from 0
  /// @param count low cards less high cards, over the number of cards
  record Sets(double[][] inputs, int[] most, double[] count) {
    static Sets of(RandomKey key, int sets, int cards) {
      var inputs = new double[sets][];
      int[] most = new int[sets];
      double[] count = new double[sets];
      int made = 0;
      for (int round = 0; made < sets; round++) {
        var dealt = Dealt.of(key.at(round), DECKS, sets, cards);
        for (int i = 0; i < sets && made < sets; i++) {
          double[] x = share(dealt.cards()[i]);
          int first = largest(x, -1);
          if (x[largest(x, first)] < x[first]) {
            inputs[made] = x;
            most[made] = first;
            count[made++] = dealt.running(i, cards) / cards;
          }
        }
      }
      return new Sets(inputs, most, count);
    }

    /// 13 times the share of each rank, less 1.
    static double[] share(int[] cards) {
      double[] x = new double[Dealt.FACES];
      for (int rank = 0; rank < x.length; rank++) {
        x[rank] = -1;
      }
      for (int card : cards) {
        x[card - 1] += (double) Dealt.FACES / cards.length;
      }
      return x;
    }

    private static int largest(double[] x, int except) {
      int best = except == 0 ? 1 : 0;
      for (int i = 0; i < x.length; i++) {
        best = i != except && x[i] > x[best] ? i : best;
      }
      return best;
    }

    Tensor inputs(int from, int to) {
      float[] x = new float[(to - from) * Dealt.FACES];
      for (int i = 0; i < x.length; i++) {
        x[i] = (float) inputs[from + i / Dealt.FACES][i % Dealt.FACES];
      }
      return Tensor.of(x, to - from, Dealt.FACES);
    }
  }

  @Override
  public void observe(Size size, long seed, Notebook note) {
    int steps = size.of(3, 300, 3000);
    int batch = size.of(16, 128, 256);
    var train = Sets.of(RandomKey.of(seed, "train"), steps * batch, CARDS[0]);
    var tests = new Sets[CARDS.length];
    for (int t = 0; t < tests.length; t++) {
      RandomKey key = RandomKey.of(seed, "test").at(t);
      tests[t] = Sets.of(key, size.of(40, 2000, 10_000), CARDS[t]);
    }
    for (Arm arm : ARMS) {
      try (var _ = Scope.open()) {
        Chain net = arm.build(Init.he(seed), Dealt.FACES, Dealt.FACES);
        fit(net, train, true, steps, batch, note);
        double[] right = new double[tests.length];
        for (int t = 0; t < tests.length; t++) {
          right[t] = 100 * right(net, tests[t]);
          note.measure(arm + most(CARDS[t]), right[t]);
        }
        draw("The most frequent rank", "right, %", arm, right, note);
      }
      try (var _ = Scope.open()) {
        Chain net = arm.build(Init.he(seed), Dealt.FACES, 1);
        fit(net, train, false, steps, batch, note);
        double[] missed = new double[tests.length];
        for (int t = 0; t < tests.length; t++) {
          double[] y = Regression.predict(net, tests[t].inputs(0, tests[t].most.length));
          note.measure(arm + count(CARDS[t]), Table.r2(y, tests[t].count));
          for (int i = 0; i < y.length; i++) {
            missed[t] += Math.pow(y[i] - tests[t].count[i], 2) / y.length;
          }
          missed[t] = Math.sqrt(missed[t]);
        }
        draw("The count per card", "root of the mean square error", arm, missed, note);
      }
    }
    String most = most(60);
    note.measure(
        "layer norm less no norm" + most,
        note.value(Arm.LAYER_NORM + most) - note.value(Arm.NO_NORM + most),
        Bound.atLeast(2));
    String count = count(60);
    note.measure(
        "no norm less layer norm" + count,
        note.value(Arm.NO_NORM + count) - note.value(Arm.LAYER_NORM + count),
        Bound.atLeast(0.1));
  }

  private static void draw(String title, String what, Arm arm, double[] values, Notebook note) {
    double[] cards = Arrays.stream(CARDS).asDoubleStream().toArray();
    note.curve(title, "cards; 20 in training", what, Scale.LINEAR, arm.toString(), cards, values);
  }

  private static void fit(
      Chain net, Sets train, boolean most, int steps, int batch, Notebook note) {
    var adam = new Adam(FlatParams.of(net.params()));
    for (int step = 0; step < steps; step++) {
      note.alive();
      int from = step * batch; // every set is seen once
      try (var _ = Scope.open()) {
        Traced y = net.forward(train.inputs(from, from + batch));
        Traced loss;
        if (most) {
          int[] labels = new int[batch];
          System.arraycopy(train.most, from, labels, 0, batch);
          loss = CrossEntropy.of(y.value(), labels);
        } else {
          float[] t = new float[batch];
          for (int i = 0; i < batch; i++) {
            t[i] = (float) train.count[from + i];
          }
          loss = SquaredError.of(y.value(), Tensor.of(t, batch, 1));
        }
        y.accumulate(loss.back(Tensor.scalar(DType.FLOAT32, 1)));
        adam.step(2e-3 * (1 + Math.cos(Math.PI * step / steps)));
      }
    }
  }

  private static double right(Chain net, Sets test) {
    int[] said = net.predict(test.inputs(0, test.most.length)).argMax();
    int right = 0;
    for (int i = 0; i < said.length; i++) {
      right += said[i] == test.most[i] ? 1 : 0;
    }
    return right / (double) said.length;
  }

  /// Names the share of sequences whose most frequent rank is found, behind the name of an arm.
  private static String most(int cards) {
    return ", most frequent rank, right of %s cards, %%".formatted(cards);
  }

  /// Names how much of the count per card is found, behind the name of an arm.
  private static String count(int cards) {
    return ", R² of the count per card, %s cards".formatted(cards);
  }
}
