package fathom.lab.scale;

import fathom.DType;
import fathom.Layer;
import fathom.Param;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.lab.instrument.Fisher;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.nn.Dense;
import fathom.report.Scale;
import java.util.Arrays;
import java.util.stream.IntStream;

/// Measures by how much the curvature along a weight falls when the weight doubles. The paper says
/// that "the curvature along the wᵢ direction will change by a factor of 1/2". Source of the claim:
/// Ba et al. 2016, section 5.2.2 and appendix, eq. 13 and 32 to 35; row 39 of the project's list of
/// claims, and I12 and I13 of its section 3.3.
///
/// In the curvature of the paper's own eq. 13, the block of wᵢ with itself, σᵢ occurs twice in the
/// denominator, so the block changes by 1/4. In blocks of wᵢ with another parameter it occurs once,
/// so they change by 1/2, and so does the length ds of a step. Along wᵢ itself the curvature is 0,
/// before and after.
///
/// The Fisher information is that of a softmax over a layer with a norm, in float64, through the
/// library's own derivatives. For steps of the gains (eq. 32 to 35) y is normal, so that its
/// variance is the same at every scale of the inputs.
///
/// The experiment does not show what the curvature means for training.
final class FisherHalfOrQuarter implements Experiment {
  private static final int UNITS = 4;
  private static final int INPUTS = 5;

  @Override
  public Statement statement() {
    return new Statement(
        "fisher-half-or-quarter",
        "By how much does the curvature along a weight fall when the weight doubles?",
        "By 1/4 in its own block of the Fisher information, not by the paper's 1/2, which is right"
            + " for blocks with other parameters and for the length of a step; along the weight"
            + " itself it is 0. A step of the gains of layer or batch norm does not depend on the"
            + " scale of the inputs.",
        "Ba et al. 2016, section 5.2.2 and appendix, eq. 13 and 32 to 35; row 39",
        "2 s");
  }

  @Override
  public void observe(Size size, long seed, Notebook note) {
    int cases = size.of(20, 100, 400);
    for (Kind kind : new Kind[] {Kind.BATCH, Kind.WEIGHT, Kind.LAYER}) {
      note.alive();
      doubled(kind, cases, seed, note);
    }
    for (Kind kind : Kind.values()) {
      note.alive();
      double ratio = gains(kind, 100, cases, seed) / gains(kind, 1, cases, seed);
      String name = kind.words + ", ds² of a step of the gains, inputs ×100 over ×1";
      if (kind == Kind.WEIGHT) {
        note.measure(name, ratio, Bound.between(9900, 10_100));
      } else {
        note.measure(name, ratio, Bound.between(1 - 1e-6, 1 + 1e-6));
      }
    }
    for (int units : new int[] {UNITS, size.of(8, 32, 64)}) {
      note.measure(
          "layer norm of %s units, eq. 13's block (w₁, w₁) less the exact one, relative"
              .formatted(units),
          equation13(units, cases, seed));
    }
    note.measure(
        "no norm, ds² of the same step along the weights, inputs ×100 over ×1",
        lengths(100, cases, seed) / lengths(1, cases, seed),
        Bound.between(9900, 10_100));
  }

  /// The Fisher information of a layer with a norm, and the indices of its parameters: the first
  /// and second row of the matrix, the whole matrix, and the others.
  record Metric(Fisher fisher, int[] first, int[] second, int[] matrix, int[] others) {
    static Metric of(Kind kind, Tensor weights, Tensor x, long seed, Fisher.Response response) {
      Layer layer = kind.over(weights, 0, seed);
      int from = 0;
      for (Param param : layer.params()) {
        if (param == Kind.weight(layer)) {
          break;
        }
        from += (int) param.value().shape().elements();
      }
      int start = from;
      int end = start + (int) weights.shape().elements();
      int[] matrix = IntStream.range(start, end).toArray();
      Fisher fisher = Fisher.of(layer, x, response);
      return new Metric(
          fisher,
          Arrays.copyOf(matrix, INPUTS),
          Arrays.copyOfRange(matrix, INPUTS, 2 * INPUTS),
          matrix,
          IntStream.range(0, fisher.size()).filter(i -> i < start || i >= end).toArray());
    }

    /// Returns ds² of a step of the parameters at these indices.
    double square(int[] places, double[] step) {
      double[] all = new double[fisher.size()];
      for (int i = 0; i < places.length; i++) {
        all[places[i]] = step[i];
      }
      return fisher.square(all);
    }

    /// Returns ‖F·w‖ over the largest that a vector as long as w could have: 0 along a direction
    /// without effect.
    double along(int[] places, double[] weights) {
      double[] all = new double[fisher.size()];
      double length = 0;
      for (int i = 0; i < places.length; i++) {
        all[places[i]] = weights[i];
        length += weights[i] * weights[i];
      }
      return norm(fisher.times(all)) / (norm(fisher.block(places, places)) * Math.sqrt(length));
    }
  }

  private static Tensor normal(String what, long seed, long... shape) {
    return Tensor.normal(RandomKey.of(seed, "fisher " + what), DType.FLOAT64, shape);
  }

  private static Tensor inputs(int cases, long seed) {
    Tensor mixed = normal("x", seed, cases, INPUTS).matmul(normal("mix", seed, INPUTS, INPUTS));
    return mixed.plus(0.3);
  }

  private static Tensor weights(Kind kind, long seed) {
    return normal("w", seed, UNITS, INPUTS).times(kind.size());
  }

  /// Returns W with its first row, or all of it, `factor` times as long.
  private static Tensor scaled(Tensor weights, boolean firstAlone, double factor) {
    double[] factors = new double[UNITS];
    Arrays.fill(factors, firstAlone ? 1 : factor);
    factors[0] = factor;
    return weights.times(Tensor.of(factors, UNITS, 1));
  }

  private static void doubled(Kind kind, int cases, long seed, Notebook note) {
    try (var _ = Scope.open()) {
      Tensor x = inputs(cases, seed);
      Tensor w = weights(kind, seed);
      Metric once = Metric.of(kind, w, x, seed, Fisher.Response.CATEGORICAL);
      Tensor longer = scaled(w, kind.ofRows, 2);
      Metric twice = Metric.of(kind, longer, x, seed, Fisher.Response.CATEGORICAL);
      int[] own = kind.ofRows ? once.first : once.matrix;
      String what = kind.ofRows ? "w₁" : "W";
      String name = "%s, %s doubled, ".formatted(kind.words, what);
      block(name + "block (%s, %s)".formatted(what, what), once, twice, own, own, 0.25, note);
      if (kind.ofRows) {
        block(name + "block (w₁, w₂)", once, twice, own, once.second, 0.5, note);
      }
      block(name + "block (%s, g and b)".formatted(what), once, twice, own, once.others, 0.5, note);
      double[] step = normal("step", seed, own.length).toDoubles();
      double ratio = Math.sqrt(twice.square(own, step) / once.square(own, step));
      note.measure(name + "length ds of a step of it, factor", ratio);
      note.measure(
          name + "length ds of a step of it, factor less 1/2",
          Math.abs(ratio - 0.5),
          Bound.atMost(1e-9));
      double[] row = Arrays.copyOf(w.toDoubles(), own.length);
      note.measure(
          name.replace("doubled, ", "as it was, ") + "‖F̄·%s‖, relative".formatted(what),
          once.along(own, row),
          Bound.atMost(1e-9));
      if (kind == Kind.BATCH) {
        curves(w, x, step, seed, note);
      } else if (kind == Kind.LAYER) {
        Metric alone = Metric.of(kind, scaled(w, true, 2), x, seed, Fisher.Response.CATEGORICAL);
        double[] firstStep = Arrays.copyOf(step, INPUTS);
        note.measure(
            "layer norm, w₁ alone doubled, length ds of a step of it, factor",
            Math.sqrt(alone.square(once.first, firstStep) / once.square(once.first, firstStep)));
      }
    }
  }

  /// Measures the factor by which a block changes, and how far the largest relative error of its
  /// elements is from it.
  private static void block(
      String name,
      Metric once,
      Metric twice,
      int[] rows,
      int[] columns,
      double factor,
      Notebook note) {
    double[] before = once.fisher.block(rows, columns);
    double[] after = twice.fisher.block(rows, columns);
    double sum = 0;
    double squares = 0;
    double apart = 0;
    double largest = 0;
    for (int i = 0; i < before.length; i++) {
      sum += before[i] * after[i];
      squares += before[i] * before[i];
      apart = Math.max(apart, Math.abs(after[i] - factor * before[i]));
      largest = Math.max(largest, Math.abs(before[i]));
    }
    note.measure(name + ", factor", sum / squares);
    note.measure(
        name + ", largest distance from 1/%s of it".formatted(Math.round(1 / factor)),
        apart / largest,
        Bound.atMost(1e-9));
  }

  private static void curves(Tensor w, Tensor x, double[] step, long seed, Notebook note) {
    int doublings = 5;
    double[] at = new double[doublings];
    double[] square = new double[doublings];
    double[] length = new double[doublings];
    double[] half = new double[doublings];
    for (int i = 0; i < doublings; i++) {
      Tensor longer = scaled(w, true, Math.pow(2, i));
      Metric metric = Metric.of(Kind.BATCH, longer, x, seed, Fisher.Response.CATEGORICAL);
      at[i] = i;
      square[i] = metric.square(metric.first, step) / (i == 0 ? 1 : square[0]);
      half[i] = Math.pow(0.5, i);
    }
    square[0] = 1;
    for (int i = 0; i < doublings; i++) {
      length[i] = Math.sqrt(square[i]);
    }
    String title = "A step of w₁ under batch norm as w₁ grows";
    curve(title, "curvature δᵀF̄δ", at, square, note);
    curve(title, "length ds", at, length, note);
    curve(title, "1/2 for every doubling", at, half, note);
  }

  private static void curve(String title, String name, double[] x, double[] y, Notebook note) {
    note.curve(title, "doublings of w₁", "over its first value", Scale.LOG, name, x, y);
  }

  /// Returns ds² of a step of the gains (eq. 32 to 34) for inputs of this scale.
  static double gains(Kind kind, double scale, int cases, long seed) {
    try (var _ = Scope.open()) {
      Metric metric =
          Metric.of(
              kind,
              weights(kind, seed),
              inputs(cases, seed).times(scale),
              seed,
              Fisher.Response.GAUSSIAN);
      int[] places = kind == Kind.WEIGHT ? metric.others : Arrays.copyOf(metric.others, UNITS);
      return metric.square(places, normal("gains", seed, UNITS).toDoubles());
    }
  }

  /// Returns ds² of the step δ·wᵢ/‖wᵢ‖ of the weights of a layer without a norm (eq. 35).
  static double lengths(double scale, int cases, long seed) {
    try (var _ = Scope.open()) {
      Tensor w = normal("w", seed, UNITS, INPUTS);
      Dense dense = Dense.withoutBias((_, _, _) -> w.plus(0.0), "", INPUTS, UNITS);
      Tensor gains = normal("gains", seed, UNITS).reshape(UNITS, 1);
      Tensor step = w.dividedBy(w.square().sum(1).sqrt()).times(gains);
      return Fisher.of(dense, inputs(cases, seed).times(scale), Fisher.Response.GAUSSIAN)
          .square(step.toDoubles());
    }
  }

  /// Returns how far the block (w₁, w₁) of eq. 13, with the χ of eq. 14, is from that of the
  /// information under layer norm, as a share of it. Under layer norm μ and σ depend on the weights
  /// of every unit, so w₁ changes the outputs of the other units too, which eq. 13 leaves out. The
  /// variance of y is 1.
  static double equation13(int units, int cases, long seed) {
    try (var _ = Scope.open()) {
      Tensor w = normal("w", seed, units, INPUTS);
      Tensor x = inputs(cases, seed);
      Metric metric = Metric.of(Kind.LAYER, w, x, seed, Fisher.Response.GAUSSIAN);
      Layer layer = Kind.LAYER.over(w, 0, seed);
      double gain = layer.params().get(1).value().toDoubles()[0];
      Tensor a = x.matmul(w.transpose());
      Tensor centred = a.minus(a.mean(1));
      double[] sigma = centred.square().mean(1).sqrt().toDoubles();
      double[] from = x.toDoubles();
      double[] away = centred.toDoubles();
      double[] block = new double[INPUTS * INPUTS];
      for (int n = 0; n < cases; n++) {
        double z = away[n * units] / sigma[n];
        double chi = 1 - (1 + z * z) / units; // times x, because ∂μ/∂w₁ = x/H, ∂σ/∂w₁ = z₁·x/H
        double factor = Math.pow(gain / sigma[n] * chi, 2) / cases;
        for (int i = 0; i < block.length; i++) {
          block[i] += factor * from[n * INPUTS + i / INPUTS] * from[n * INPUTS + i % INPUTS];
        }
      }
      double[] exact = metric.fisher.block(metric.first, metric.first);
      double[] difference = new double[block.length];
      Arrays.setAll(difference, i -> block[i] - exact[i]);
      return norm(difference) / norm(exact);
    }
  }

  private static double norm(double[] v) {
    return Math.sqrt(Arrays.stream(v).map(d -> d * d).sum());
  }
}
