package fathom.lab.layernorm;

import fathom.DType;
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
import java.util.Arrays;

/// Measures whether layer norm makes the states and gradients of a recurrent net independent of the
/// scale of its weights. Source of the claim: Ba et al. 2016, section 3.1 ("in a standard RNN,
/// there is a tendency for the average magnitude of the summed inputs to the recurrent units to
/// either grow or shrink at every time-step, leading to exploding or vanishing gradients") and
/// table 1; rows 32 and 33 of the project's list of claims.
///
/// The net is an RNN of tanh units (eq. 4), without and with layer norm, in float64 with ε = 0. Its
/// two weight matrices are multiplied by one factor.
///
/// The gradient is ‖∂h_T/∂h₀‖ along a drawn direction of h_T, without inputs. Without a norm it is
/// taken at a state so small that the units are linear: nothing is saturated, and the gradient is
/// that of the product of T matrices. With layer norm it is the same at every scale, but not 1. So
/// the experiment does not show that nothing vanishes; the invariance is to scale only.
final class HiddenDynamics implements Experiment {
  @Override
  public Statement statement() {
    return new Statement(
        "hidden-dynamics",
        "Does layer norm make the state of a recurrent net independent of the scale of its"
            + " weights?",
        "Yes: states and gradients through 100 steps are those of any other scale, where an RNN"
            + " without it loses or gains twenty decades between weights at 0.5 and 1.5.",
        "Ba et al. 2016, section 3.1 and table 1; rows 32 and 33",
        "2 s");
  }

  private static final int INPUTS = 8;
  private static final int COUNT = 4;

  @Override
  public void observe(Size size, long seed, Notebook note) {
    int hidden = size.of(8, 64, 256);
    int steps = size.of(20, 100, 100);
    for (GateNorm norm : new GateNorm[] {GateNorm.NONE, GateNorm.LAYER}) {
      note.alive();
      boolean normed = norm == GateNorm.LAYER;
      String name = normed ? "LN-RNN" : "RNN";
      double[] once = states(norm, 1, hidden, steps, seed);
      double[] tenfold = states(norm, 10, hidden, steps, seed);
      note.measure(
          name + ", weights ×10, largest change of a state",
          Doubles.apart(once, tenfold),
          normed ? Bound.atMost(1e-10) : Bound.atLeast(1e-3));
      double[] x = {0.5, 0.75, 1, 1.25, 1.5};
      double[] y =
          Arrays.stream(x).map(k -> Math.log10(gradient(norm, k, hidden, steps, seed))).toArray();
      note.measure(name + ", decades of ‖∂h_T/∂h₀‖ at ×0.5", y[0]);
      note.measure(name + ", decades of ‖∂h_T/∂h₀‖ at ×1.5", y[4]);
      if (normed) {
        note.measure(
            name + ", ‖∂h_T/∂h₀‖ at ×1.5 over ×0.5, less 1",
            Math.abs(Math.pow(10, y[4] - y[0]) - 1),
            Bound.atMost(1e-8));
      } else {
        note.measure(
            name + ", decades of ‖∂h_T/∂h₀‖ between ×0.5 and ×1.5", y[4] - y[0], Bound.atLeast(20));
      }
      note.curve(
          "Gradient through %s steps".formatted(steps),
          "factor of the weights",
          "log₁₀ ‖∂h_T/∂h₀‖",
          Scale.LINEAR,
          name,
          x,
          y);
    }
  }

  private static RecurrentLayer layer(GateNorm norm, double factor, int hidden, long seed) {
    RecurrentLayer layer =
        RecurrentLayer.of(Init.he(seed), "rnn", Kind.RNN, norm, INPUTS, hidden).withEpsilon(0);
    Doubles.convert(layer);
    for (Param param : layer.params()) {
      if (param.value().shape().rank() == 2) {
        param.value().copy_(param.value().times(factor));
      }
    }
    return layer;
  }

  /// Returns all states along drawn sequences.
  static double[] states(GateNorm norm, double factor, int hidden, int steps, long seed) {
    try (var _ = Scope.open()) {
      RecurrentLayer layer = layer(norm, factor, hidden, seed);
      var x = Sequences.of(Doubles.normal(seed, "sequences", steps, COUNT, INPUTS));
      return layer.predict(x, layer.start(DType.FLOAT64, COUNT)).value().toDoubles();
    }
  }

  /// Returns ‖∂⟨d, h_T⟩/∂h₀‖ for a drawn direction d of length 1, without inputs.
  static double gradient(GateNorm norm, double factor, int hidden, int steps, long seed) {
    try (var _ = Scope.open()) {
      RecurrentLayer layer = layer(norm, factor, hidden, seed);
      var x = Sequences.of(Tensor.zeros(DType.FLOAT64, steps, 1, INPUTS));
      double linear = norm == GateNorm.NONE ? 1e-40 : 1;
      Tensor start = Doubles.normal(seed, "start", 1, hidden).times(linear);
      var traced = layer.forward(x, State.of(start));
      Tensor direction = Doubles.normal(seed, "direction", 1, hidden);
      double length = Math.sqrt(direction.square().sum().item());
      var back = traced.back(traced.value().zerosLike(), State.of(direction.times(1 / length)));
      return Math.sqrt(back.dstart().tensors().getFirst().square().sum().item());
    }
  }
}
