package fathom.lab.experiment;

import fathom.Scope;
import fathom.lab.instrument.Responses;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.report.Scale;
import java.util.stream.IntStream;

/// Measures figure 7 of the residual paper, the standard deviations of layer responses, on fully
/// connected nets that are trained alike. Source of the claim: He et al. 2016, section 4.2, figure
/// 7, with thresholds of this project that were set before the first run.
///
/// The standard deviations are those of batch norm's outputs, computed from its gains and biases.
/// They start at 1, and in so few steps they change by about one in a hundred. So the order is the
/// paper's, but the experiment does not show the paper's size of the difference. The published
/// weights, trained for 200 epochs, show it better; [PublishedNets] measures them.
final class LayerResponses implements Experiment {
  @Override
  public Statement statement() {
    return new Statement(
        "responses",
        "Do layers under shortcuts only learn small corrections?",
        "The layers of a residual net respond less than those of its plain twin, and those of a"
            + " deeper residual net less than those of a shallower one.",
        "He et al. 2016, section 4.2, figure 7; thresholds of this project, set before the first"
            + " run",
        "15 s");
  }

  @Override
  public void observe(Size size, long seed, Notebook note) {
    Mixture data = Mixture.of(seed, "train", size.of(256, 2048, 8192));
    int width = size.of(8, 48, 48);
    int in = data.features();
    var training = new Training(0.02, size.of(1, 12, 40));
    double plain = measure(DeepNet.plain(in, width, 20), data, training, seed, note);
    double shallow = measure(DeepNet.residual(in, width, 20), data, training, seed, note);
    double deep = measure(DeepNet.residual(in, width, 56), data, training, seed, note);
    note.measure(
        "residual-20 over plain-20, mean standard deviation", shallow / plain, Bound.atMost(1));
    note.measure(
        "residual-56 over residual-20, mean standard deviation", deep / shallow, Bound.atMost(1));
  }

  private static double measure(
      DeepNet shape, Mixture data, Training training, long seed, Notebook note) {
    try (var _ = Scope.open()) {
      var net = shape.build(seed);
      double error = training.fit(net, data, seed, note);
      var responses = Responses.ofWeights(net);
      note.measure(shape.name() + ", training error, %", error);
      note.measure(
          shape.name() + ", mean standard deviation of a layer's response", responses.mean());
      note.curve(
          "Standard deviation of each layer's response",
          "layer",
          "standard deviation",
          Scale.LINEAR,
          shape.name(),
          IntStream.rangeClosed(1, responses.standardDeviations().length)
              .asDoubleStream()
              .toArray(),
          responses.standardDeviations());
      return responses.mean();
    }
  }
}
