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
import fathom.nn.Chain;
import fathom.nn.Init;
import fathom.nn.Relu;
import fathom.report.Scale;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Measures what layers cost that are appended to a net that is already good. Source of the claim:
/// the argument of He et al. 2016, sections 1 and 4.2 (figure 7), with thresholds of this project
/// that were set before the first run.
///
/// A net of four layers that fits its points gets 2, 10 or 100 new layers before its last product,
/// in blocks of two as in [DeepNet], and the whole net is trained for four more epochs at size
/// quick. The same net and the same new weights are used with shortcuts around the blocks and
/// without.
///
/// In the first run the claim failed with 50 and 100 layers: a new block with a shortcut is no
/// identity, because its branch starts as large as its input, and training must first undo a
/// hundred of them. The bounds were not changed. A third arm was added, in which the last gain of
/// each branch starts at zero, so that the appended layers start as the identity.
///
/// The correction of a block is ‖y − x‖/‖x‖ of its input x and output y.
///
/// The nets are fully connected and learn Gaussian clusters, so the experiment does not show this
/// for images.
final class Appended implements Experiment {
  @Override
  public Statement statement() {
    return new Statement(
        "appended-layers",
        "What do layers cost that are appended to a net that is already good?",
        "Up to 100 layers with shortcuts leave a good net good, and each corrects less the more there"
            + " are; 100 without shortcuts ruin it.",
        "He et al. 2016, sections 1 and 4.2 (figure 7); thresholds of this project, set before the"
            + " first run",
        "25 s");
  }

  /// The kinds of appended blocks.
  enum Arm {
    PLAIN("without"),
    SHORTCUT("with shortcuts"),
    ZERO("with shortcuts that start at zero");

    private final String words;

    Arm(String words) {
      this.words = words;
    }
  }

  @Override
  public void observe(Size size, long seed, Notebook note) {
    Mixture data = Mixture.of(seed, "train", size.of(256, 2048, 8192));
    int width = size.of(8, 48, 48);
    var good = new Training(0.1, size.of(1, 8, 8));
    var on = new Training(0.02, size.of(1, 4, 20));
    int[] counts = {2, 10, 100};
    for (Arm arm : Arm.values()) {
      String kind = arm.words;
      boolean shortcut = arm != Arm.PLAIN;
      double[] errors = new double[counts.length];
      double[] corrections = new double[counts.length];
      for (int i = 0; i < counts.length; i++) {
        try (var _ = Scope.open()) {
          Chain base = DeepNet.plain(data.features(), width, 4).build(seed);
          double before = good.fit(base, data, seed, note);
          if (arm == Arm.PLAIN && i == 0) {
            note.measure("the net before, training error, %", before, Bound.atMost(2));
          }
          Chain longer = longer(base, width, counts[i], arm, seed);
          errors[i] = on.fit(longer, data, seed, note);
          corrections[i] = correction(longer, data);
        }
        note.measure(
            "%s, %s layers appended, training error, %%".formatted(kind, counts[i]),
            errors[i],
            shortcut ? Bound.atMost(2) : counts[i] == 100 ? Bound.atLeast(50) : Bound.NONE);
      }
      double[] x = Arrays.stream(counts).asDoubleStream().toArray();
      note.curve("Training error", "layers appended", "error in %", Scale.LINEAR, kind, x, errors);
      note.curve(
          "Correction of an appended block, mean",
          "layers appended",
          "‖y − x‖ / ‖x‖",
          Scale.LOG,
          kind,
          x,
          corrections);
      note.measure(
          kind + ", a block's correction among 100 layers over that of 2",
          corrections[counts.length - 1] / corrections[0],
          arm == Arm.SHORTCUT ? Bound.atMost(0.9) : Bound.NONE);
    }
  }

  /// Returns `base` with new blocks before its last layer.
  static Chain longer(Chain base, int width, int layers, Arm arm, long seed) {
    var shape = new DeepNet(width, width, 2, 2, arm == Arm.PLAIN ? 0 : 1);
    Init init = Init.he(seed);
    var parts = new ArrayList<Child>(base.children());
    Child head = parts.removeLast();
    for (int i = 0; i < layers / 2; i++) {
      String name = "appended" + i;
      Layer branch = shape.branch(init.in(name));
      if (arm == Arm.ZERO) {
        for (var own : branch.state().entrySet()) {
          if (own.getKey().endsWith("norm1.weight")) {
            own.getValue().value().zero_();
          }
        }
      }
      parts.add(
          new Child(
              name, new Chain(List.of(new Child("", branch), new Child("relu", new Relu())))));
    }
    parts.add(head);
    return new Chain(parts);
  }

  /// Returns the mean correction of the appended blocks.
  static double correction(Chain net, Mixture data) {
    double sum = 0;
    int count = 0;
    try (var _ = Scope.open()) {
      Tensor x = data.all();
      for (Child child : net.children()) {
        Layer layer = child.layer();
        Tensor y = layer.forward(x).value();
        if (child.name().startsWith("appended")) {
          sum += Rows.norm(y.minus(x)) / Rows.norm(x);
          count++;
        }
        x = y;
      }
    }
    return sum / count;
  }
}
