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

/// One net of 24 layers, shortcuts around 1, 2, 3 or all layers, or none. Of a shortcut around a
/// single layer the paper says that it saw no advantage; it is shown without a bound, and
/// [SingleLayer] is about it.
///
/// The last bound, set before the first run, does not hold, for none of ten seeds: the errors are
/// from 20 to 30 %. The shortcut from the first layer to the last carries the first product's value
/// to the last product, so that what is left without the 24 layers is a net of one hidden layer,
/// which learns by itself: its error is measured too. The bound thought of the shortcut as of a
/// repair of the layers under it; it is a way past them.
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
