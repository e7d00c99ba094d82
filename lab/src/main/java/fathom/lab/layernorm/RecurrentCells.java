package fathom.lab.layernorm;

import fathom.Param;
import fathom.Scope;
import fathom.Tensor;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.nn.Init;
import fathom.recurrent.GateNorm;
import fathom.recurrent.Kind;
import fathom.recurrent.RecurrentLayer;
import fathom.recurrent.Sequences;
import fathom.recurrent.State;
import fathom.report.Scale;
import java.util.Locale;
import java.util.Map;

/// Measures whether the recurrent layers with layer norm are those of the paper. Source of the
/// claim: Ba et al. 2016, equations 4, 20-22 and 26-28; row 31 of the project's list of claims.
///
/// Two steps of each kind of layer, with drawn parameters, are compared with the equations, written
/// out here unit by unit. Gains begin at 1 and biases at 0, as the main text and the authors' code
/// have it. The gradient is compared with a central difference along a drawn direction of all
/// parameters at once. `RecurrentLayerTest` has two steps that were worked by hand.
final class RecurrentCells implements Experiment {
  private static final int INPUTS = 2;
  private static final double EPSILON = 1e-5;

  @Override
  public Statement statement() {
    return new Statement(
        "recurrent-cells",
        "Are the recurrent layers with layer norm those of the paper?",
        "Two steps of an LN-RNN, LN-LSTM and LN-GRU are those of its equations, gains begin at 1 and"
            + " biases at 0, and gradients are those of differences.",
        "Ba et al. 2016, eq. 4, 20-22 and 26-28; row 31",
        "1 s");
  }

  @Override
  public void observe(Size size, long seed, Notebook note) {
    int hidden = size.of(3, 3, 16);
    Kind[] kinds = Kind.values();
    double[] place = new double[kinds.length];
    double[] errors = new double[kinds.length];
    for (int i = 0; i < kinds.length; i++) {
      note.alive();
      Kind kind = kinds[i];
      String name = "LN-" + kind.name().toUpperCase(Locale.ROOT);
      try (var _ = Scope.open()) {
        RecurrentLayer layer =
            RecurrentLayer.of(Init.he(seed), "cell", kind, GateNorm.LAYER, INPUTS, hidden);
        note.measure(
            name + ", largest |gain − 1| or |bias| at the start", start(layer), Bound.atMost(0));
        Doubles.convert(layer);
        layer
            .own()
            .forEach((path, param) ->
                param
                    .value()
                    .copy_(Doubles.normal(seed, kind + path, param.value().shape().toArray())));
        Tensor x = Doubles.normal(seed, "steps", 2, 1, INPUTS);
        double[] h = Doubles.normal(seed, "state", hidden).toDoubles();
        double[] c = Doubles.normal(seed, "cell", hidden).toDoubles();
        State from =
            kind == Kind.LSTM
                ? State.of(Tensor.of(h, 1, hidden), Tensor.of(c, 1, hidden))
                : State.of(Tensor.of(h, 1, hidden));
        double[] expected = equations(kind, layer, x.toDoubles(), h, c);
        double[] values = layer.forward(Sequences.of(x), from).value().toDoubles();
        errors[i] = Doubles.apart(expected, values);
        place[i] = i + 1;
        note.measure(name + ", largest error of two steps", errors[i], Bound.atMost(1e-10));
        note.measure(
            name + ", relative error of the gradient",
            gradient(layer, Sequences.of(x), from, seed),
            Bound.atMost(1e-6));
      }
    }
    note.curve(
        "Largest error of two steps",
        "RNN, LSTM, GRU",
        "difference from the equations",
        Scale.LOG,
        "with layer norm",
        place,
        errors);
  }

  private static double start(RecurrentLayer layer) {
    double largest = 0;
    for (Map.Entry<String, Param> own : layer.own().entrySet()) {
      double expected = own.getKey().startsWith("gain") ? 1 : 0;
      if (!own.getKey().startsWith("weight")) {
        for (double v : own.getValue().value().toDoubles()) {
          largest = Math.max(largest, Math.abs(v - expected));
        }
      }
    }
    return largest;
  }

  /// Returns the hidden states of two steps, unit by unit.
  static double[] equations(Kind kind, RecurrentLayer layer, double[] x, double[] h, double[] c) {
    int n = h.length;
    double[] states = new double[2 * n];
    double[] hidden = h.clone();
    double[] cell = c.clone();
    for (int t = 0; t < 2; t++) {
      double[] ax = product(layer, "weight_x", new double[] {x[INPUTS * t], x[INPUTS * t + 1]});
      double[] ah = product(layer, "weight_h", hidden);
      switch (kind) {
        case RNN -> {
          double[] a = new double[n];
          for (int k = 0; k < n; k++) {
            a[k] = ax[k] + ah[k];
          }
          double[] z = norm(layer, "x", a, 0, n);
          for (int k = 0; k < n; k++) {
            hidden[k] = Math.tanh(z[k]);
          }
        }
        case LSTM -> {
          double[] zx = norm(layer, "x", ax, 0, 4 * n);
          double[] zh = norm(layer, "h", ah, 0, 4 * n);
          double[] b = values(layer, "bias");
          double[] z = new double[4 * n];
          for (int k = 0; k < 4 * n; k++) {
            z[k] = zx[k] + zh[k] + b[k];
          }
          for (int k = 0; k < n; k++) {
            cell[k] = sigmoid(z[n + k]) * cell[k] + sigmoid(z[k]) * Math.tanh(z[3 * n + k]);
          }
          double[] read = norm(layer, "c", cell, 0, n);
          for (int k = 0; k < n; k++) {
            hidden[k] = sigmoid(z[2 * n + k]) * Math.tanh(read[k]);
          }
        }
        case GRU -> {
          double[] gx = norm(layer, "x", ax, 0, 2 * n);
          double[] gh = norm(layer, "h", ah, 0, 2 * n);
          double[] cx = norm(layer, "x", ax, 2 * n, 3 * n);
          double[] ch = norm(layer, "h", ah, 2 * n, 3 * n);
          for (int k = 0; k < n; k++) {
            double z = sigmoid(gx[k] + gh[k]);
            double r = sigmoid(gx[n + k] + gh[n + k]);
            hidden[k] = (1 - z) * hidden[k] + z * Math.tanh(cx[k] + r * ch[k]);
          }
        }
      }
      System.arraycopy(hidden, 0, states, t * n, n);
    }
    return states;
  }

  private static double[] values(RecurrentLayer layer, String name) {
    Param param = layer.own().get(name);
    if (param == null) {
      throw new IllegalStateException(
          "this cell has a parameter %s, but %s".formatted(name, layer));
    }
    return param.value().toDoubles();
  }

  private static double[] product(RecurrentLayer layer, String name, double[] v) {
    double[] w = values(layer, name);
    double[] y = new double[w.length / v.length];
    for (int r = 0; r < y.length; r++) {
      for (int k = 0; k < v.length; k++) {
        y[r] += w[r * v.length + k] * v[k];
      }
    }
    return y;
  }

  /// Returns the layer norm of the values `from` to `to`, exclusive, with their gains and biases.
  private static double[] norm(RecurrentLayer layer, String part, double[] a, int from, int to) {
    double[] gain = values(layer, "gain_" + part);
    double[] bias = values(layer, "bias_" + part);
    double mean = 0;
    for (int k = from; k < to; k++) {
      mean += a[k] / (to - from);
    }
    double variance = 0;
    for (int k = from; k < to; k++) {
      variance += (a[k] - mean) * (a[k] - mean) / (to - from);
    }
    double[] y = new double[to - from];
    for (int k = from; k < to; k++) {
      y[k - from] = gain[k] * (a[k] - mean) / Math.sqrt(variance + EPSILON) + bias[k];
    }
    return y;
  }

  private static double sigmoid(double z) {
    return 1 / (1 + Math.exp(-z));
  }

  /// Returns the relative error of the derivative of ⟨d, y⟩ along a drawn direction of all
  /// parameters.
  private static double gradient(RecurrentLayer layer, Sequences x, State from, long seed) {
    var traced = layer.forward(x, from);
    Tensor d = Doubles.normal(seed, "cotangent", traced.value().shape().toArray());
    traced.back(d, traced.end().zerosLike());
    double expected = 0;
    double step = 1e-5;
    for (boolean up : new boolean[] {true, false}) {
      move(layer, up ? step : -2 * step, seed);
      try (var _ = Scope.open()) {
        double value = layer.predict(x, from).value().times(d).sum().item();
        expected += (up ? value : -value) / (2 * step);
      }
    }
    move(layer, step, seed);
    double actual = 0;
    for (Map.Entry<String, Param> own : layer.own().entrySet()) {
      actual += direction(own, seed).times(own.getValue().grad()).sum().item();
    }
    return Math.abs(actual - expected) / Math.abs(expected);
  }

  private static void move(RecurrentLayer layer, double step, long seed) {
    for (Map.Entry<String, Param> own : layer.own().entrySet()) {
      own.getValue().value().add_(direction(own, seed).times(step));
    }
  }

  private static Tensor direction(Map.Entry<String, Param> own, long seed) {
    return Doubles.normal(
        seed, "direction " + own.getKey(), own.getValue().value().shape().toArray());
  }
}
