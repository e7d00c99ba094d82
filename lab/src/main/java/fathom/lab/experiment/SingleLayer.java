package fathom.lab.experiment;

import fathom.Layer;
import fathom.RandomKey;
import fathom.Scope;
import fathom.lab.instrument.Spectrum;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.nn.BatchNorm;
import fathom.nn.Chain;
import fathom.nn.Dense;
import fathom.nn.Init;
import fathom.nn.Relu;
import fathom.nn.Residual;
import fathom.report.Scale;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;

/// Measures what a shortcut around a single layer changes. Source of the claim: He et al. 2016,
/// section 3.2; Li et al. 2016 ("Demystifying ResNet"), theorem 1; thresholds of this project, set
/// before the first run.
///
/// *Training.* A branch of a single layer is, in the paper's words, `y = W₁x + x`, which "is
/// similar to a linear layer" and for which the authors "have not observed advantages". A net of 24
/// such layers, with batch norm and a rectifier behind each sum, is a plain net whose weights start
/// at W + I: the shortcut adds no function to those that the net can represent. It is compared with
/// a shortcut around product and batch norm, where the sum is behind the norm, and with a shortcut
/// around two layers.
///
/// *Curvature.* The Hessian of a linear net with all branches zero is computed for the loss ½‖P −
/// T‖² of the product P of its layers, in float64 by central differences, with one layer under a
/// shortcut, then two, then three. With two, its condition number does not depend on the depth;
/// with one it grows; with three the point is flat (Li et al. 2016, theorem 1).
///
/// The curvature is of linear nets at one point, so the experiment does not show that of the
/// trained nets.
final class SingleLayer implements Experiment {
  @Override
  public Statement statement() {
    return new Statement(
        "single-layer",
        "Does a shortcut around a single layer bring anything?",
        "A shortcut around one linear layer, y = Wx + x, trains no better than a plain layer; at zero,"
            + " only branches of two layers have a curvature that does not depend on the depth.",
        "He et al. 2016, section 3.2; Li et al. 2016 (\"Demystifying ResNet\"), theorem 1;"
            + " thresholds of this project, set before the first run",
        "10 s");
  }

  private record Kind(String name, int span, Function<Init, Layer> block) {}

  @Override
  public void observe(Size size, long seed, Notebook note) {
    Mixture data = Mixture.of(seed, "train", size.of(256, 2048, 8192));
    int width = size.of(8, 48, 48);
    var training = new Training(0.02, size.of(1, 10, 20));
    int[] depths = {size.of(2, 6, 6), size.of(4, 12, 12), size.of(6, 24, 24)};
    var kinds =
        List.of(
            new Kind("no shortcut", 1, init -> layer(init, width, false)),
            new Kind("y = Wx + x", 1, init -> layer(init, width, true)),
            new Kind("shortcut around one layer and its norm", 1, init -> behind(init, width, 1)),
            new Kind(
                "shortcut around two layers and their norms", 2, init -> behind(init, width, 2)));
    double[] deepest = new double[kinds.size()];
    for (int k = 0; k < deepest.length; k++) {
      Kind kind = kinds.get(k);
      double[] errors = new double[depths.length];
      for (int i = 0; i < depths.length; i++) {
        try (var _ = Scope.open()) {
          int blocks = depths[i] / kind.span;
          var net = DeepNet.around(Init.he(seed), data.features(), width, blocks, kind.block);
          errors[i] = training.fit(net, data, seed, note);
        }
      }
      deepest[k] = errors[depths.length - 1];
      note.measure(kind.name + ", %s layers, training error, %%".formatted(depths[2]), deepest[k]);
      note.curve(
          "Training error by depth",
          "layers",
          "error in %",
          Scale.LINEAR,
          kind.name,
          Arrays.stream(depths).asDoubleStream().toArray(),
          errors);
    }
    note.measure(
        "error without a shortcut less that with y = Wx + x, %s layers, points"
            .formatted(depths[2]),
        deepest[0] - deepest[1],
        Bound.atMost(5));
    hessians(seed, note);
  }

  /// Returns product, norm and rectifier; with a shortcut, the input is added to the product.
  private static Layer layer(Init init, int width, boolean shortcut) {
    Layer dense = Dense.withoutBias(init, "dense", width, width);
    return Chain.of(shortcut ? new Residual(dense) : dense, BatchNorm.of(width), new Relu());
  }

  /// Returns a block as in [DeepNet], where the input is added behind the last norm.
  private static Layer behind(Init init, int width, int span) {
    return Chain.of(new DeepNet(width, width, span, span, 1).branch(init), new Relu());
  }

  private static final int SMALL = 3;
  private static final double STEP = 1e-3;

  private static void hessians(long seed, Notebook note) {
    int[] depths = {6, 12, 24};
    double[][] condition = new double[3][depths.length];
    double[][] largest = new double[3][depths.length];
    for (int span = 1; span <= 3; span++) {
      for (int i = 0; i < depths.length; i++) {
        note.alive();
        Spectrum curvature = new LinearNet(depths[i], span, target(seed)).curvature();
        condition[span - 1][i] = curvature.condition();
        largest[span - 1][i] = curvature.values()[0];
      }
    }
    for (int span = 1; span <= 2; span++) {
      note.curve(
          "Condition number of the Hessian at zero",
          "layers",
          "largest over smallest curvature",
          Scale.LOG,
          "span " + span,
          Arrays.stream(depths).asDoubleStream().toArray(),
          condition[span - 1]);
    }
    note.measure(
        "span 1, condition number at 24 layers over that at 6",
        condition[0][2] / condition[0][0],
        Bound.atLeast(3));
    note.measure("span 2, the same", condition[1][2] / condition[1][0], Bound.between(0.99, 1.01));
    note.measure(
        "span 3, largest curvature over that of span 2, 24 layers",
        largest[2][2] / largest[1][2],
        Bound.atMost(1e-3));
  }

  private static double[] target(long seed) {
    RandomKey key = RandomKey.of(seed, "single layer target");
    double[] t = new double[SMALL * SMALL];
    for (int i = 0; i < t.length; i++) {
      t[i] = key.normal(i);
    }
    return t;
  }

  /// A linear net P = Π (I + W_k·…·W_{k+span-1}) of square matrices with [#SMALL] rows.
  record LinearNet(int depth, int span, double[] target) {
    /// Returns the singular values of the Hessian of ½‖P − T‖² at zero, the absolute values of its
    /// eigenvalues.
    Spectrum curvature() {
      int n = depth * SMALL * SMALL;
      double[] w = new double[n];
      double[] hessian = new double[n * n];
      for (int i = 0; i < n; i++) {
        for (int j = i; j < n; j++) {
          double mixed =
              (loss(w, i, STEP, j, STEP)
                      - loss(w, i, STEP, j, -STEP)
                      - loss(w, i, -STEP, j, STEP)
                      + loss(w, i, -STEP, j, -STEP))
                  / (4 * STEP * STEP);
          hessian[i * n + j] = mixed;
          hessian[j * n + i] = mixed;
        }
      }
      return Spectrum.of(hessian, n, n);
    }

    private double loss(double[] w, int i, double a, int j, double b) {
      w[i] += a;
      w[j] += b;
      double[] p = identity();
      for (int block = 0; block < depth; block += span) {
        double[] branch = Arrays.copyOfRange(w, at(block), at(block + 1));
        for (int k = 1; k < span; k++) {
          branch = product(branch, Arrays.copyOfRange(w, at(block + k), at(block + k + 1)));
        }
        for (int d = 0; d < SMALL; d++) {
          branch[d * SMALL + d] += 1;
        }
        p = product(branch, p);
      }
      w[i] = 0;
      w[j] = 0;
      double sum = 0;
      for (int k = 0; k < p.length; k++) {
        sum += 0.5 * (p[k] - target[k]) * (p[k] - target[k]);
      }
      return sum;
    }

    private static int at(int matrix) {
      return matrix * SMALL * SMALL;
    }

    private static double[] identity() {
      double[] p = new double[SMALL * SMALL];
      for (int d = 0; d < SMALL; d++) {
        p[d * SMALL + d] = 1;
      }
      return p;
    }

    private static double[] product(double[] a, double[] b) {
      double[] c = new double[SMALL * SMALL];
      for (int i = 0; i < SMALL; i++) {
        for (int j = 0; j < SMALL; j++) {
          for (int k = 0; k < SMALL; k++) {
            c[i * SMALL + j] += a[i * SMALL + k] * b[k * SMALL + j];
          }
        }
      }
      return c;
    }
  }
}
