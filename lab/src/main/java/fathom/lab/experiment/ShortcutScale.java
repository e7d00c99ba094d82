package fathom.lab.experiment;

import fathom.Scope;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.report.Scale;
import java.util.List;

/// Measures the training error of one net of 56 layers with its shortcuts multiplied by 0, ½ and 1.
/// Source of the claim: He et al. 2016 ("Identity mappings"), section 3.1 and table 1; row 25 of
/// the project's list of claims.
///
/// The net is fully connected and learns Gaussian clusters, so the experiment does not show the
/// size of the effect for images.
final class ShortcutScale implements Experiment {
  @Override
  public Statement statement() {
    return new Statement(
        "shortcut-scale",
        "Is a shortcut that carries half of the value half as good?",
        "A shortcut is good only if it carries the whole value: scaled by one half, a net of 56"
            + " layers fails nearly as without it.",
        "He et al. 2016 (\"Identity mappings\"), section 3.1 and table 1; row 25",
        "20 s");
  }

  @Override
  public void observe(Size size, long seed, Notebook note) {
    Mixture data = Mixture.of(seed, "train", size.of(256, 2048, 8192));
    int width = size.of(8, 48, 48);
    int depth = size.of(8, 56, 56);
    var training = new Training(0.02, size.of(1, 20, 20));
    double[] factors = {0, 0.5, 1};
    List<Bound> bounds = List.of(Bound.atLeast(80), Bound.atLeast(50), Bound.atMost(2));
    double[] errors = new double[factors.length];
    for (int i = 0; i < factors.length; i++) {
      try (var _ = Scope.open()) {
        var net = new DeepNet(data.features(), width, depth, 2, factors[i]).build(seed);
        errors[i] = training.run(net, data, seed, note) ? Training.error(net, data) : Double.NaN;
        note.measure(
            "shortcut×%s, training error, %%".formatted(factors[i]), errors[i], bounds.get(i));
      }
    }
    note.curve(
        "Training error by the factor of the shortcut",
        "factor",
        "error in %",
        Scale.LINEAR,
        "%s layers".formatted(depth),
        factors,
        errors);
  }
}
