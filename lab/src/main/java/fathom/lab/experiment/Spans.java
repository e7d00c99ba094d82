package fathom.lab.experiment;

import fathom.Scope;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.report.Scale;
import java.util.Arrays;
import java.util.List;

/// Measures how many layers a shortcut may lead around: one net of 24 layers with shortcuts around
/// 1, 2, 3 or all layers, or none. Source of the claim: He et al. 2016, section 3.2, with a
/// threshold of this project that was set before the first run. For a shortcut around a single
/// layer, the paper reports no advantage; it is shown without a bound, and [SingleLayer] measures
/// it.
///
/// The last bound does not hold for any of ten seeds: the errors are from 20 to 30 %. The shortcut
/// from the first layer to the last carries the first product's output to the last product. Without
/// the 24 layers, what is left is a net of one hidden layer, which learns by itself; its error is
/// measured too. The bound assumed that the shortcut repairs the layers under it, but it leads past
/// them.
///
/// The experiment does not show how spans compare in nets of other depths or on images.
final class Spans implements Experiment {
  @Override
  public Statement statement() {
    return new Statement(
        "spans",
        "How many layers may a shortcut lead around?",
        "Shortcuts around two or three layers make a net of 24 layers trainable; one shortcut from the first"
            + " to the last does not.",
        "He et al. 2016, section 3.2; threshold of this project, set before the first run",
        "10 s");
  }

  @Override
  public void observe(Size size, long seed, Notebook note) {
    Mixture data = Mixture.of(seed, "train", size.of(256, 2048, 8192));
    int width = size.of(8, 48, 48);
    int depth = size.of(6, 24, 24);
    var training = new Training(0.02, size.of(1, 10, 20));
    int[] spans = {1, 2, 3, depth};
    double[] errors = new double[spans.length];
    var bounds = List.of(Bound.NONE, Bound.atMost(5), Bound.atMost(5), Bound.atLeast(40));
    for (int i = 0; i < spans.length; i++) {
      String around = spans[i] == depth ? "all layers" : spans[i] + (i == 0 ? " layer" : " layers");
      errors[i] =
          error(
              new DeepNet(data.features(), width, depth, spans[i], 1), training, data, seed, note);
      note.measure(
          "shortcuts around %s, training error, %%".formatted(around), errors[i], bounds.get(i));
    }
    note.measure(
        "no shortcuts, training error, %",
        error(DeepNet.plain(data.features(), width, depth), training, data, seed, note));
    note.measure(
        "no layers between the first and the last product, training error, %",
        error(new DeepNet(data.features(), width, 0, 1, 1), training, data, seed, note));
    note.curve(
        "Training error by the span of the shortcuts",
        "layers under a shortcut",
        "error in %",
        Scale.LINEAR,
        "%s layers".formatted(depth),
        Arrays.stream(spans).asDoubleStream().toArray(),
        errors);
  }

  private static double error(
      DeepNet shape, Training training, Mixture data, long seed, Notebook note) {
    try (var _ = Scope.open()) {
      var net = shape.build(seed);
      return training.run(net, data, seed, note) ? Training.error(net, data) : Double.NaN;
    }
  }
}
