package fathom.lab.experiment;

import fathom.Layer;
import fathom.Layer.Child;
import fathom.Scope;
import fathom.Tensor;
import fathom.lab.instrument.Rows;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.loss.CrossEntropy;
import fathom.nn.Chain;
import fathom.nn.Dense;
import fathom.nn.Init;
import fathom.nn.LayerNorm;
import fathom.nn.Relu;
import fathom.nn.Residual;
import fathom.report.Scale;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/// Measures whether the late blocks of a deep net with layer norm on its branches do nothing, and
/// whether scaling the norms by 1/√l, in block l, makes them work. Source of the claim: Sun et al.
/// 2025 (2502.05795), for language models; row 60 of the project's list of claims.
///
/// Every branch adds to the stream, so that the stream grows with depth and a branch, whose input
/// is normalised, is the smaller beside it the later it comes. The variance of the stream is
/// measured behind each of 64 blocks, and what the training loss rises by if all branches of the
/// second half are cut.
///
/// The thresholds are the row's. In a pilot with seed 11 the second did not hold: the loss rose by
/// 0.29 nats as it is and by 0.06 scaled. At the start branch l has 1/l of the stream's variance,
/// and with the scaling 1/l over 1 + ln l, which is less.
///
/// The nets are fully connected and small; the experiment does not show what the scaling gains in a
/// language model.
final class CurseOfDepth implements Experiment {
  @Override
  public Statement statement() {
    return new Statement(
        "curse-of-depth",
        "Do the late blocks of a deep net with norms on its branches do anything?",
        "Little: its stream grows, and to cut the last half of 64 blocks costs at least twice as"
            + " much if block l scales its norm by 1/√l.",
        "Sun et al. 2025 (2502.05795); row 60",
        "60 s");
  }

  @Override
  public void observe(Size size, long seed, Notebook note) {
    Mixture data = Mixture.of(seed, "train", size.of(256, 2048, 8192));
    int width = size.of(8, 48, 48);
    int blocks = size.of(8, 64, 64);
    var training = new Training(0.02, size.of(1, 10, 20));
    double[] costs = new double[2];
    double[] growths = new double[2];
    for (boolean scaled : new boolean[] {false, true}) {
      String arm = scaled ? "norms scaled by 1/√l" : "norms as they are";
      try (var _ = Scope.open()) {
        Chain net = net(scaled, data.features(), width, blocks, seed);
        double[] start = stream(net, data, blocks);
        note.measure(
            arm + ", variance behind the last block over the first, start",
            start[blocks - 1] / start[0]);
        boolean finite = training.run(net, data, seed, note);
        double error = finite ? error(net, data) : Double.NaN;
        note.measure(arm + ", training error, %", error, Bound.atMost(5));
        double[] end = stream(net, data, blocks);
        growths[scaled ? 1 : 0] = end[blocks - 1] / end[0];
        note.measure(
            arm + ", variance behind the last block over the first, trained",
            growths[scaled ? 1 : 0]);
        costs[scaled ? 1 : 0] = loss(cut(net, blocks / 2), data) - loss(net, data);
        note.measure(
            arm + ", rise of the loss without the second half, nats", costs[scaled ? 1 : 0]);
        note.measure(
            arm + ", training error without the second half, %", error(cut(net, blocks / 2), data));
        double[] x = IntStream.rangeClosed(1, blocks).asDoubleStream().toArray();
        String title = "Variance of the stream behind each block, trained";
        note.curve(title, "block", "variance", Scale.LOG, arm, x, end);
      }
    }
    note.measure(
        "variance growth of the trained stream, as they are over scaled",
        growths[0] / growths[1],
        Bound.atLeast(1));
    note.measure(
        "rise of the loss without the second half, scaled over as they are",
        costs[1] / costs[0],
        Bound.atLeast(2));
  }

  private static Chain net(boolean scaled, int in, int width, int blocks, long seed) {
    Init init = Init.he(seed);
    var parts = new ArrayList<Child>();
    parts.add(new Child("stem", Dense.withoutBias(init, "stem", in, width)));
    for (int l = 1; l <= blocks; l++) {
      Init own = init.in("block" + l);
      var branch = new ArrayList<Layer>();
      branch.add(LayerNorm.of(width));
      if (scaled) {
        branch.add(new Scaled(1 / Math.sqrt(l)));
      }
      branch.add(Dense.of(own, "in", width, width));
      branch.add(new Relu());
      branch.add(Dense.of(own, "out", width, width));
      parts.add(new Child("block" + l, new Residual(Chain.of(branch.toArray(Layer[]::new)))));
    }
    parts.add(new Child("norm", LayerNorm.of(width)));
    parts.add(new Child("head", Dense.of(init, "head", width, Mixture.CLASSES)));
    return new Chain(parts);
  }

  /// Returns the net without the branches of all blocks behind the first `kept`.
  private static Chain cut(Chain net, int kept) {
    var parts = new ArrayList<Child>(net.children().subList(0, kept + 1));
    List<Child> all = net.children();
    parts.addAll(all.subList(all.size() - 2, all.size()));
    return new Chain(parts);
  }

  /// Returns the variance of the stream behind each block, over points and units.
  private static double[] stream(Chain net, Mixture data, int blocks) {
    double[] variances = new double[blocks];
    try (var _ = Scope.open()) {
      List<Child> parts = net.children();
      Tensor h = parts.getFirst().layer().predict(data.all());
      for (int l = 0; l < blocks; l++) {
        h = parts.get(l + 1).layer().predict(h);
        variances[l] = Math.pow(Rows.norm(h), 2) / h.shape().elements();
      }
    }
    return variances;
  }

  private static double error(Layer net, Mixture data) {
    try (var _ = Scope.open()) {
      return Training.wrong(net.predict(data.all()), data);
    }
  }

  private static double loss(Layer net, Mixture data) {
    try (var _ = Scope.open()) {
      return CrossEntropy.of(net.predict(data.all()), data.labels()).value().item();
    }
  }
}
