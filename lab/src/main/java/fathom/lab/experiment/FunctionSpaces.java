package fathom.lab.experiment;

import fathom.Layer;
import fathom.Param;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.Traced;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.nn.Relu;
import fathom.report.Scale;
import java.util.Map;
import java.util.Objects;

/// Measures whether a net of paths of various depths generalises better than one of paths of a
/// single depth, where training is no difficulty for either. Source of the claim: Mehmeti-Göpel and
/// Wand 2025 (2506.14386); row 58 of the project's list of claims.
///
/// Both nets are made of one trained residual net of 10 blocks, by making some of its rectifiers
/// linear and training on for as many epochs. *Fixed*: all rectifiers within branches are made
/// linear and, behind the additions, all but those of k blocks; every path passes exactly k of
/// these. *Variable*: of every layer the same share k/15 of units keeps its rectifier, drawn by the
/// seed, so that a path that takes or leaves each branch at even odds passes k on average. The
/// variable net keeps a third more rectifiers in all, because half of its paths go past a branch.
///
/// The points are a mixture of Gaussians and not natural data, for which the paper makes its claim;
/// the experiment does not show what is true of images.
final class FunctionSpaces implements Experiment {
  private static final int BLOCKS = 10;

  @Override
  public Statement statement() {
    return new Statement(
        "function-spaces",
        "Is it only optimization that separates plain nets from residual ones?",
        "No: of one trained residual net, with units made linear afterwards, the version with paths"
            + " of various depths has no higher a test error than one with paths of a single depth.",
        "Mehmeti-Göpel and Wand 2025 (2506.14386); row 58",
        "60 s");
  }

  @Override
  public void observe(Size size, long seed, Notebook note) {
    int points = size.of(256, 2048, 8192);
    Mixture train = Mixture.of(seed, "train", points);
    Mixture test = Mixture.of(seed, "test", size.of(256, 8192, 8192));
    int width = size.of(8, 48, 48);
    var shape = DeepNet.residual(train.features(), width, 2 * BLOCKS);
    var first = new Training(0.02, size.of(1, 10, 20));
    var on = new Training(0.02, size.of(1, 10, 20));
    try (var _ = Scope.open()) {
      Layer whole = shape.build(seed);
      first.run(whole, train, seed, note);
      note.measure("whole net, test error, %", Training.error(whole, test));
      double[] depths = {2, 5};
      double[] fixed = new double[depths.length];
      double[] variable = new double[depths.length];
      for (int i = 0; i < depths.length; i++) {
        int k = (int) depths[i];
        fixed[i] = linear(shape, whole, k, true, on, train, test, seed, note);
        variable[i] = linear(shape, whole, k, false, on, train, test, seed, note);
        note.measure(
            "%s rectifiers on a path, variable less fixed, test error, points".formatted(k),
            variable[i] - fixed[i],
            Bound.atMost(0));
      }
      curve("fixed depth", depths, fixed, note);
      curve("variable depth", depths, variable, note);
    }
  }

  private static void curve(String arm, double[] depths, double[] errors, Notebook note) {
    note.curve(
        "Test error with units made linear",
        "rectifiers on a path, on average",
        "error in %",
        Scale.LINEAR,
        arm,
        depths,
        errors);
  }

  private static double linear(
      DeepNet shape,
      Layer whole,
      int kept,
      boolean fixed,
      Training training,
      Mixture train,
      Mixture test,
      long seed,
      Notebook note) {
    try (var _ = Scope.open()) {
      Layer copy = shape.build(seed);
      Map<String, Param> values = whole.state();
      copy.state()
          .forEach((path, param) ->
              param.value().copy_(Objects.requireNonNull(values.get(path)).value()));
      Layer net = Layer.map(copy, new Cut(shape.width(), kept, fixed, seed));
      training.run(net, train, seed, note);
      double error = Training.error(net, test);
      String arm = fixed ? "fixed" : "variable";
      note.measure(
          "%s rectifiers on a path, %s, training error, %%".formatted(kept, arm),
          Training.error(net, train));
      note.measure("%s rectifiers on a path, %s, test error, %%".formatted(kept, arm), error);
      return error;
    }
  }

  /// Makes rectifiers linear. The first one, behind the stem, is left in both nets.
  private record Cut(int width, int kept, boolean fixed, long seed) implements Layer.Rule {
    @Override
    public Layer apply(String path, Layer layer) {
      if (!(layer instanceof Relu) || !path.startsWith("block")) {
        return layer;
      }
      int block = Integer.parseInt(path.substring(5, path.indexOf('.')));
      boolean behindAddition = path.endsWith(".relu");
      float[] mask = new float[width];
      int[] order = RandomKey.of(seed, "linear units " + path).permutation(width);
      // Evenly spread: block b keeps its rectifier where ⌊(b+1)·k/blocks⌋ rises.
      boolean keeps = (block + 1) * kept / BLOCKS > block * kept / BLOCKS;
      int count =
          !fixed
              ? (int) Math.round(width * kept / (1.5 * BLOCKS))
              : behindAddition && keeps ? width : 0;
      for (int i = 0; i < count; i++) {
        mask[order[i]] = 1;
      }
      return new PartlyLinear(Tensor.of(mask, 1, width));
    }
  }

  /// The layer y = m·relu(x) + (1 − m)·x with a mask m of zeros and ones.
  private record PartlyLinear(Tensor mask) implements Layer {
    @Override
    public Traced forward(Tensor x) {
      Tensor y;
      Tensor negative; // 1 where a unit is cut off
      try (var scope = Scope.open()) {
        Tensor positive = x.relu();
        y = scope.keep(x.plus(positive.minus(x).times(mask)));
        double[] values = x.toDoubles();
        float[] off = new float[values.length];
        for (int i = 0; i < off.length; i++) {
          off[i] = values[i] < 0 ? 1 : 0;
        }
        negative = scope.keep(Tensor.of(off, x.shape().toArray()).times(mask));
      }
      return new Traced(y, dy -> dy.minus(dy.times(negative)));
    }
  }
}
