package fathom.lab.layernorm;

import fathom.Layer;
import fathom.Param;
import fathom.Scope;
import fathom.Tensor;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.nn.BatchNorm;
import fathom.nn.Chain;
import fathom.nn.Dense;
import fathom.nn.LayerNorm;
import fathom.nn.RmsNorm;
import fathom.nn.WeightNorm;
import fathom.report.Scale;
import java.util.Arrays;
import java.util.List;

/// Measures the paper's table 1, all 18 cells, and the row of RMS norm from its own paper: the
/// largest change of the normalised summed inputs of a layer of units when weights or data change.
/// Source of the claims: Ba et al. 2016, table 1 and section 5.1; Zhang and Sennrich 2019, table 1;
/// rows 29 and 30 of the project's list of claims.
///
/// The numbers are float64, with ε = 0 and without a bias before the norm. The statistics of batch
/// norm are those of the changed batch.
///
/// The paper's text says that "all the normalization methods are invariant to re-scaling the data
/// set", and its table that weight norm is not. The table is right, because g·wᵀx/‖w‖ grows with x.
///
/// The experiment does not show what an invariance is worth in training.
final class Invariances implements Experiment {
  @Override
  public Statement statement() {
    return new Statement(
        "invariances",
        "To what changes of weights and data is a normalised layer blind?",
        "To those of the paper's table 1, where its text on re-scaling the data set is wrong for"
            + " weight norm; layer norm alone is blind to a change of one case that batch norm"
            + " sees, and does the same in training and prediction and for a batch of one.",
        "Ba et al. 2016, table 1 and section 5.1; Zhang and Sennrich 2019, table 1; rows 29 and 30",
        "1 s");
  }

  private static final int CASES = 12;
  private static final int INPUTS = 7;

  /// The size of the weights. The ε of batch norm is fixed, and negligible beside variances of
  /// 10¹².
  private static final double SIZE = 1e6;

  enum Kind {
    BATCH("batch norm", "yes no yes yes yes no"),
    WEIGHT("weight norm", "yes no yes no no no"),
    LAYER("layer norm", "yes yes no yes no yes"),
    RMS("RMS norm", "yes no no yes no yes");

    final String words;

    /// The kind's row of the table: whether it is invariant to each of [#CHANGES].
    private final String row;

    Kind(String words, String row) {
      this.words = words;
      this.row = row;
    }

    private boolean isBlindTo(int change) {
      return row.split(" ", -1)[change].equals("yes");
    }

    private Layer over(Tensor weights, long seed) {
      int units = (int) weights.shape().size(0);
      var dense = Dense.withoutBias((_, _, _) -> weights.plus(0.0), "", INPUTS, units);
      Layer layer =
          switch (this) {
            case BATCH -> Chain.of(dense, BatchNorm.of(units));
            case WEIGHT -> new WeightNorm(dense, Param.of(Doubles.normal(seed, "g", units)));
            case LAYER -> Chain.of(dense, LayerNorm.of(units).withEpsilon(0));
            case RMS -> Chain.of(dense, RmsNorm.of(units).withEpsilon(0));
          };
      Doubles.convert(layer);
      layer
          .state()
          .forEach((path, param) -> {
            if (path.endsWith("1.weight") || path.endsWith("1.bias")) {
              param.value().copy_(Doubles.normal(seed, path, units));
            }
          });
      return layer;
    }

    /// Returns the normalised summed inputs for units with these weights and inputs x.
    double[] value(Tensor weights, Tensor x, long seed) {
      return over(weights, seed).forward(x).value().toDoubles();
    }
  }

  /// A change of weights (units×inputs) or data (cases×inputs), with a direction to move along and
  /// a factor.
  private interface Change {
    Tensor of(Tensor before, Tensor along, double factor);
  }

  private record Cell(String words, boolean weights, Change change) {}

  private static final List<Cell> CHANGES =
      List.of(
          new Cell("weight matrix re-scaled", true, (w, _, k) -> w.times(k)),
          new Cell("weight matrix re-centred", true, (w, along, k) -> w.plus(along.times(k - 1))),
          new Cell("one weight vector re-scaled", true, (w, _, k) -> w.times(oneScaled(w, k))),
          new Cell("data set re-scaled", false, (x, _, k) -> x.times(k)),
          new Cell("data set re-centred", false, (x, along, k) -> x.plus(along.times(k - 1))),
          new Cell("one case re-scaled", false, (x, _, k) -> x.times(oneScaled(x, k))));

  /// Returns a column of ones with the factor in one place.
  private static Tensor oneScaled(Tensor rows, double factor) {
    double[] factors = new double[(int) rows.shape().size(0)];
    Arrays.fill(factors, 1);
    factors[2] = factor;
    return Tensor.of(factors, factors.length, 1);
  }

  @Override
  public void observe(Size size, long seed, Notebook note) {
    int units = size.of(9, 32, 128);
    for (Kind kind : Kind.values()) {
      for (int c = 0; c < CHANGES.size(); c++) {
        note.alive();
        Cell cell = CHANGES.get(c);
        note.measure(
            "%s, %s, largest change of h".formatted(kind.words, cell.words),
            change(kind, cell, units, 3, seed),
            kind.isBlindTo(c) ? Bound.atMost(1e-10) : Bound.atLeast(1e-3));
      }
      double[] x = {0.25, 0.5, 1, 2, 3, 4};
      double[] y =
          Arrays.stream(x).map(k -> change(kind, CHANGES.getLast(), units, k, seed)).toArray();
      note.curve(
          "One case, multiplied", "factor", "largest change of h", Scale.LINEAR, kind.words, x, y);
    }
    formula(units, seed, note);
  }

  private static double change(Kind kind, Cell cell, int units, double factor, long seed) {
    try (var _ = Scope.open()) {
      Tensor w = Doubles.normal(seed, "w", units, INPUTS).times(SIZE);
      Tensor x = Doubles.normal(seed, "x", CASES, INPUTS);
      Tensor along = Doubles.normal(seed, "shift", 1, INPUTS);
      double[] h = kind.value(w, x, seed);
      return Doubles.apart(
          h,
          cell.weights
              ? kind.value(cell.change.of(w, along.times(SIZE), factor), x, seed)
              : kind.value(w, cell.change.of(x, along, factor), seed));
    }
  }

  /// Measures row 29, the formula of layer norm, and that it is the same in training, in prediction
  /// and for a batch of one.
  private static void formula(int units, long seed, Notebook note) {
    try (var _ = Scope.open()) {
      LayerNorm norm = LayerNorm.plain(units).withEpsilon(0);
      Tensor a = Doubles.normal(seed, "a", CASES, units).times(3).plus(7);
      Tensor h = norm.forward(a).value();
      note.measure(
          "layer norm, largest mean of a case",
          Doubles.largest(h.mean(1).toDoubles()),
          Bound.atMost(1e-12));
      note.measure(
          "layer norm, largest distance of a case's variance from 1",
          Doubles.largest(h.square().mean(1).plus(-1).toDoubles()),
          Bound.atMost(1e-12));
      note.measure(
          "layer norm, prediction less training",
          Doubles.apart(h.toDoubles(), norm.predict(a).toDoubles()),
          Bound.atMost(0));
      note.measure(
          "layer norm, a case alone less the case in its batch",
          Doubles.apart(
              h.narrow(0, 0, 1).toDoubles(), norm.forward(a.narrow(0, 0, 1)).value().toDoubles()),
          Bound.atMost(0));
    }
  }
}
