package fathom.lab.experiment;

import fathom.DType;
import fathom.FlatParams;
import fathom.Layer;
import fathom.Layer.Child;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;
import fathom.lab.instrument.Spectrum;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.loss.CrossEntropy;
import fathom.nn.Chain;
import fathom.nn.Dense;
import fathom.nn.Flatten;
import fathom.nn.Gelu;
import fathom.nn.Init;
import fathom.nn.LayerNorm;
import fathom.nn.OverPositions;
import fathom.nn.Residual;
import fathom.nn.SelfAttention;
import fathom.optim.Adam;
import fathom.report.Scale;
import java.util.ArrayList;
import java.util.List;

/// Measures whether shortcuts make the Jacobians of a transformer's attentions well conditioned,
/// and whether an initialisation does the same without them. Source of the claim: Ji et al. 2025
/// (2510.00345); row 62 of the project's list of claims.
///
/// Transformers of 6 blocks read the embedded digits, an image as 8 rows of 8 pixels. *Plain* has
/// no shortcuts, *skip* has the usual two in each block, and *initialised* has none, but begins
/// with queries and keys that make each position attend mostly to itself, and with orthogonal
/// values and outputs. That is what the paper's summaries say of its initialisation; its constants
/// are not theirs. The condition number is that of the Jacobian of an attention with its shortcut,
/// at an image, as the geometric mean over blocks. Without a shortcut the layer norm before it,
/// which is singular by construction, is left out.
///
/// The nets are small; the experiment does not show what such nets learn with long training.
final class Conditioning implements Experiment {
  private static final int ROWS = 8;
  private static final int WIDTH = 16;
  private static final int BATCH = 64;

  @Override
  public Statement statement() {
    return new Statement(
        "conditioning",
        "Can an initialisation do for a transformer what its shortcuts do?",
        "Shortcuts bring the condition number of attention's Jacobian to a tenth and less, and so"
            + " does an initialisation without them; either at least halves the training loss of a"
            + " net with neither.",
        "Ji et al. 2025 (2510.00345); row 62",
        "60 s");
  }

  private enum Arm {
    PLAIN("plain"),
    SKIP("skip"),
    INITIALISED("initialised");

    private final String words;

    Arm(String words) {
      this.words = words;
    }
  }

  @Override
  public void observe(Size size, long seed, Notebook note) {
    Mixture data = Mixture.digits(true);
    int blocks = size.of(2, 6, 12);
    int epochs = size.of(1, 12, 40);
    for (Arm arm : Arm.values()) {
      try (var _ = Scope.open()) {
        Chain net = net(arm, blocks, seed);
        note.measure(
            arm.words + ", condition number of attention at the start, decades",
            condition(net, data, note));
        note.measure(
            arm.words + ", training loss at the end, nats",
            train(arm, net, data, epochs, seed, note));
      }
    }
    String start = ", condition number of attention at the start, decades";
    String loss = ", training loss at the end, nats";
    for (Arm arm : List.of(Arm.SKIP, Arm.INITIALISED)) {
      note.measure(
          arm.words + ", decades of the condition number below plain",
          note.value(Arm.PLAIN.words + start) - note.value(arm.words + start),
          Bound.atLeast(1));
      note.measure(
          arm.words + " over plain, training loss",
          note.value(arm.words + loss) / note.value(Arm.PLAIN.words + loss),
          Bound.atMost(0.5));
    }
  }

  private static Chain net(Arm arm, int blocks, long seed) {
    Init init = Init.he(seed);
    var parts = new ArrayList<Child>();
    parts.add(new Child("stem", new OverPositions(Dense.of(init, "stem", ROWS, WIDTH))));
    for (int l = 0; l < blocks; l++) {
      Init own = init.in("block" + l);
      Layer norm = LayerNorm.ofLast(WIDTH);
      Layer attention = SelfAttention.of(attention(arm, own), "attention", WIDTH, 1, false);
      Layer mlp =
          new OverPositions(
              Chain.of(
                  LayerNorm.of(WIDTH),
                  Dense.of(own, "mlp.in", WIDTH, 4 * WIDTH),
                  new Gelu(),
                  Dense.of(own, "mlp.out", 4 * WIDTH, WIDTH)));
      parts.add(new Child("attention" + l, around(arm, Chain.of(norm, attention))));
      parts.add(new Child("mlp" + l, around(arm, mlp)));
    }
    parts.add(new Child("norm", LayerNorm.ofLast(WIDTH)));
    parts.add(new Child("flatten", new Flatten()));
    parts.add(new Child("head", Dense.of(init, "head", ROWS * WIDTH, Mixture.CLASSES)));
    return new Chain(parts);
  }

  private static Layer around(Arm arm, Layer branch) {
    return arm == Arm.SKIP ? new Residual(branch) : branch;
  }

  /// Returns the initial weights of an attention: for [Arm#INITIALISED], queries and keys 1.5·I, so
  /// that the product of a normalised position with itself is 9 under the softmax and with others
  /// about 2 in size, and values and outputs orthogonal.
  private static Init attention(Arm arm, Init init) {
    if (arm != Arm.INITIALISED) {
      return init;
    }
    Init orthogonal = Orthogonal.rounded(init);
    return (path, in, shape) -> {
      try (var scope = Scope.open()) {
        Tensor square = orthogonal.weights(path, in, WIDTH, WIDTH).times(1 / Math.sqrt(2));
        if (shape[0] == WIDTH) {
          return scope.keep(square);
        }
        float[] itself = new float[WIDTH * WIDTH];
        for (int i = 0; i < WIDTH; i++) {
          itself[i * WIDTH + i] = 1.5f;
        }
        Tensor same = Tensor.of(itself, WIDTH, WIDTH);
        return scope.keep(Tensor.concatenated(0, List.of(same, same, square)));
      }
    };
  }

  /// Returns the mean over blocks of log₁₀ of the condition number at the first image.
  private static double condition(Chain net, Mixture data, Notebook note) {
    double sum = 0;
    int count = 0;
    try (var _ = Scope.open()) {
      Tensor h = rows(data.at(new int[] {0}, 0, 1), 1);
      for (Child part : net.children()) {
        note.alive();
        if (part.name().startsWith("attention")) {
          Layer layer = part.layer();
          Tensor at = h;
          if (!(layer instanceof Residual)) {
            at = layer.children().get(0).layer().predict(h);
            layer = layer.children().get(1).layer();
          }
          sum += Math.log10(jacobian(layer, at).condition());
          count++;
        }
        h = part.layer().predict(h);
      }
    }
    return sum / count;
  }

  private static Spectrum jacobian(Layer layer, Tensor x) {
    int n = ROWS * WIDTH;
    float[] unit = new float[n * n];
    for (int i = 0; i < n; i++) {
      unit[i * n + i] = 1; // row i of the Jacobian is the cotangent of output i
    }
    try (var _ = Scope.open()) {
      Tensor copies = x.expand(Shape.of(n, ROWS, WIDTH)).contiguous();
      Tensor j = layer.forward(copies).back(Tensor.of(unit, n, ROWS, WIDTH));
      return Spectrum.of(j.toDoubles(), n, n);
    }
  }

  private static Tensor rows(Tensor images, int count) {
    return images.reshape(count, ROWS, ROWS);
  }

  /// Returns the mean loss of the last epoch.
  private static double train(
      Arm arm, Layer net, Mixture data, int epochs, long seed, Notebook note) {
    var adam = new Adam(FlatParams.of(net.params()));
    double[] x = new double[epochs];
    double[] losses = new double[epochs];
    int steps = data.count() / BATCH;
    for (int epoch = 0; epoch < epochs; epoch++) {
      int[] order = RandomKey.of(seed, "order").at(epoch).permutation(data.count());
      x[epoch] = epoch + 1;
      for (int s = 0; s < steps; s++) {
        note.alive();
        try (var _ = Scope.open()) {
          int from = s * BATCH;
          Traced logits = net.forward(rows(data.at(order, from, from + BATCH), BATCH));
          Traced loss = CrossEntropy.of(logits.value(), data.labelsAt(order, from, from + BATCH));
          losses[epoch] += loss.value().item() / steps;
          logits.accumulate(loss.back(Tensor.scalar(DType.FLOAT32, 1)));
          adam.step(0.002);
        }
      }
    }
    note.curve("Training loss", "epochs", "nats", Scale.LOG, arm.words, x, losses);
    return losses[epochs - 1];
  }
}
