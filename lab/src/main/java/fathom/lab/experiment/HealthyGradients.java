package fathom.lab.experiment;

import fathom.Layer;
import fathom.Param;
import fathom.Scope;
import fathom.lab.instrument.Gradients;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.report.Scale;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// Measures why a deep plain net does not learn although its gradients do not vanish. Source of the
/// claim: He et al. 2016, section 4.1 ("healthy norms"); Yang et al. 2019; rows 11 and 26b of the
/// project's list of claims.
///
/// The plain net's gradients explode at the start. Its first step then makes the weights of the
/// early layers so long that the later gradients look healthy and yet no longer turn these weights.
///
/// The thresholds are those of rows 11 and 26b, from a pilot with one seed, and at size quick two
/// of them do not hold. The reason is the choice of seeds, neither the definition nor the size. In
/// the pilot the largest gradient norm was 6 times the smallest at step 20; the pilot's own script
/// with seeds 0 to 7 gives 6.2, 5.9, 21, 26, 20, 24, 38 and 7.8, and this experiment with seeds 1
/// to 10 gives 5.4 to 175, eight of them above 20, after 26,000 to 101,000 at step 0. What the
/// claim is about, a fall by two to four decades while W₁ becomes a thousand times longer, holds
/// for every seed. For the same reason ‖g₁‖ at the end is below 0.001 for four seeds of ten,
/// because W₁ grew by more (the gradient is proportional to 1/‖W₁‖).
///
/// The experiment does not show that the residual net fits: at this learning rate it does not
/// either within the steps of size quick. [Degradation] has the learning rate at which it does.
final class HealthyGradients implements Experiment {
  private static final double RATE = 0.1;
  private static final int SETTLED = 20;
  private static final List<Integer> SHOWN = List.of(0, 1, 5, SETTLED);

  @Override
  public Statement statement() {
    return new Statement(
        "healthy-gradients",
        "If the gradients of a deep plain net do not vanish, why does it not learn?",
        "After some steps the gradient norms of a plain net of 56 layers are healthy while it"
            + " fails, because its early layers' weights have grown until no step turns them;"
            + " undoing the growth does not help.",
        "He et al. 2016, section 4.1 (\"healthy norms\"); Yang et al. 2019; rows 11 and 26b",
        "15 s");
  }

  @Override
  public void observe(Size size, long seed, Notebook note) {
    Mixture data = Mixture.of(seed, "train", size.of(3072, 2048, 8192));
    int width = size.of(8, 48, 48);
    int depth = size.of(8, 56, 56);
    var training = new Training(RATE, size.of(1, 8, 8));
    Profile plain =
        profile(DeepNet.plain(data.features(), width, depth), training, data, seed, note);
    Profile residual =
        profile(DeepNet.residual(data.features(), width, depth), training, data, seed, note);
    note.measure(
        "plain, largest over smallest gradient norm, step 0", plain.ratio(0), Bound.atLeast(1e4));
    note.measure("plain, the same, step 20", plain.ratio(SETTLED), Bound.atMost(20));
    note.measure("plain, ‖W₁‖ at step 20 over the start", plain.growth(), Bound.atLeast(100));
    note.measure("plain, η‖g₁‖/‖W₁‖ at step 20", plain.turn(), Bound.atMost(1e-5));
    note.measure("plain, ‖g₁‖ at the end", plain.last.gradients()[1], Bound.between(1e-3, 10));
    note.measure(
        "plain, ‖g‖ of the last hidden layer at the end",
        plain.last.gradients()[depth],
        Bound.between(1e-3, 10));
    note.measure("plain, training error, %", plain.error, Bound.atLeast(80));
    note.measure("residual, ‖W₁‖ at step 20 over the start", residual.growth(), Bound.atMost(3));
    note.measure("residual, training error, %", residual.error);
    note.measure(
        "plain with weights brought back to their norms, training error, %",
        projected(DeepNet.plain(data.features(), width, depth), training, data, seed, note),
        Bound.atLeast(70));
  }

  /// The gradients of the first steps and of the last one, and the training error. Weight 0 is the
  /// stem's; weights 1 to depth are those of the hidden layers.
  private record Profile(Gradients[] at, Gradients last, double error) {
    double ratio(int step) {
      var hidden = Arrays.copyOfRange(at[step].gradients(), 1, at[step].gradients().length - 1);
      var range = Arrays.stream(hidden).summaryStatistics();
      return range.getMax() / range.getMin();
    }

    double growth() {
      return at[SETTLED].weights()[1] / at[0].weights()[1];
    }

    double turn() {
      return RATE * at[SETTLED].gradients()[1] / at[SETTLED].weights()[1];
    }
  }

  private static Profile profile(
      DeepNet shape, Training training, Mixture data, long seed, Notebook note) {
    try (var _ = Scope.open()) {
      Layer net = shape.build(seed);
      var at = new Gradients[SETTLED + 1];
      var last = new Gradients[1];
      boolean finite =
          training.run(
              net,
              data,
              seed,
              note,
              new Training.Look() {
                @Override
                public void before(int step, Layer net) {
                  last[0] = Gradients.of(net);
                  if (step <= SETTLED) {
                    at[step] = last[0];
                  }
                }
              });
      for (int step : SHOWN) {
        double[] layers = IntStream.rangeClosed(1, shape.depth()).asDoubleStream().toArray();
        double[] norms = Arrays.copyOfRange(at[step].gradients(), 1, shape.depth() + 1);
        note.curve(
            "Gradient norm of each layer, " + shape.name(),
            "layer",
            "‖dE/dW‖",
            Scale.LOG,
            "step " + step,
            layers,
            norms);
      }
      return new Profile(at, last[0], finite ? Training.error(net, data) : Double.NaN);
    }
  }

  /// Returns the training error if each weight is brought back to its first norm after every step.
  private static double projected(
      DeepNet shape, Training training, Mixture data, long seed, Notebook note) {
    try (var _ = Scope.open()) {
      Layer net = shape.build(seed);
      double[] first = Gradients.of(net).weights();
      boolean finite =
          training.run(
              net,
              data,
              seed,
              note,
              new Training.Look() {
                @Override
                public void after(int step, Layer net) {
                  project(net, first);
                }
              });
      return finite ? Training.error(net, data) : Double.NaN;
    }
  }

  private static void project(Layer net, double[] norms) {
    double[] now = Gradients.of(net).weights();
    List<Param> weights = net.params().stream().filter(p -> p.value().shape().rank() > 1).toList();
    for (int i = 1; i < norms.length - 1; i++) { // hidden layers: norms follow them
      try (var _ = Scope.open()) {
        var value = weights.get(i).value();
        value.copy_(value.times(norms[i] / now[i]));
      }
    }
  }
}
