package fathom.lab.experiment;

import fathom.Layer;
import fathom.Layer.Child;
import fathom.Scope;
import fathom.lab.instrument.Rows;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.nn.Chain;
import fathom.nn.Dense;
import fathom.nn.Init;
import fathom.nn.LayerNorm;
import fathom.nn.Relu;
import fathom.report.Scale;
import java.util.List;

/// Measures whether a plain net of 56 layers trains with layer norm before or behind its
/// rectifiers. Source of the claim: row 52b of the project's list of claims, derived from row 52,
/// whose experiment `norm-placement` measures the two orders in random nets.
///
/// Before the rectifier all inputs end in nearly one direction; behind it inputs stay apart and
/// gradients grow instead, so that both nets should fail, for opposite reasons. The same nets with
/// 4 layers show that neither order is at fault by itself.
///
/// The nets have one width and one recipe, so the experiment does not show that no learning rate
/// trains them.
final class BothOrders implements Experiment {
  private static final double RATE = 0.02;

  @Override
  public Statement statement() {
    return new Statement(
        "both-orders",
        "Does layer norm train a deep plain net if it stands on the other side of the rectifier?",
        "No: at 56 layers both orders leave the training error at 80 % and more, one because all"
            + " inputs end in one direction, the other although they do not.",
        "derived from row 52; row 52b",
        "60 s");
  }

  @Override
  public void observe(Size size, long seed, Notebook note) {
    Mixture data = Mixture.of(seed, "train", size.of(256, 2048, 8192));
    int width = size.of(8, 48, 48);
    int deep = size.of(8, 56, 56);
    var training = new Training(RATE, size.of(1, 10, 20));
    for (boolean before : new boolean[] {true, false}) {
      String order = before ? "norm before the rectifier" : "norm behind the rectifier";
      double[] depths = {4, deep};
      double[] errors = new double[depths.length];
      for (int i = 0; i < depths.length; i++) {
        int depth = (int) depths[i];
        try (var _ = Scope.open()) {
          Chain net = net(before, data.features(), width, depth, seed);
          if (depth == deep) {
            double cosine = cosine(net, data);
            note.measure(
                order + ", cosine of two inputs behind the last layer at the start",
                cosine,
                before ? Bound.atLeast(0.9) : Bound.atMost(0.3));
          }
          errors[i] = training.fit(net, data, seed, note);
          note.measure(
              "%s, %s layers, training error, %%".formatted(order, depth),
              errors[i],
              depth == deep ? Bound.atLeast(80) : Bound.atMost(5));
        }
      }
      note.curve(
          "Training error at the end by depth",
          "layers",
          "error in %",
          Scale.LINEAR,
          order,
          depths,
          errors);
    }
  }

  private static Chain net(boolean before, int in, int width, int depth, long seed) {
    return DeepNet.around(Init.he(seed), in, width, depth, init -> block(before, init, width));
  }

  private static Layer block(boolean before, Init init, int width) {
    var dense = new Child("dense", Dense.withoutBias(init, "dense", width, width));
    var norm = new Child("norm", LayerNorm.of(width));
    var relu = new Child("relu", new Relu());
    return new Chain(before ? List.of(dense, norm, relu) : List.of(dense, relu, norm));
  }

  /// Returns the mean cosine between what the head is given for two points.
  private static double cosine(Chain net, Mixture data) {
    try (var _ = Scope.open()) {
      var children = net.children();
      return Rows.cosine(new Chain(children.subList(0, children.size() - 1)).predict(data.all()));
    }
  }
}
