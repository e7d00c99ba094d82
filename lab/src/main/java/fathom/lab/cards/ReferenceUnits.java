package fathom.lab.cards;

import fathom.DType;
import fathom.Param;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.nn.Dense;
import fathom.nn.Init;
import fathom.nn.LayerNorm;
import fathom.report.Scale;

/// Measures, by construction, that what layer norm removes can be computed again if something
/// constant stood beside it. Source of the claim: the theorem that LN(a) = LN(a') if and only if a'
/// = αa + β1 with a positive α; StyleGAN2's droplets (Karras et al. 2020) are such a unit that was
/// learned; row 47 of the project's list of claims.
///
/// *Reference units.* Layer norm of [a; 0; 1] gives z with σ = 1/(z₁ − z₀), μ = −z₀·σ and a = z·σ +
/// μ, where z₀ and z₁ are the units that were 0 and 1. With an ε the same holds for √(σ² + ε) in
/// place of σ.
///
/// *A bias.* For z = LN(Wx + b) there are a positive s and an m with s·z + m·1 = Wx + b. In the
/// unknowns x, s and m these are as many linear equations as units. They have one solution if the
/// columns of W, z and 1 are independent, which holds for nearly all W and b ≠ 0. Without b the
/// equations are Wx − s·z − m·1 = 0, and every multiple of a solution is a solution too: the scale
/// is the one number that is lost.
///
/// The experiment does not show that a trained net uses this; it computes with float64 and random
/// weights.
final class ReferenceUnits implements Experiment {
  @Override
  public Statement statement() {
    return new Statement(
        "reference-units",
        "Is what layer norm takes away gone?",
        "Not if something constant stood beside it: from two constant units, or from a bias before"
            + " the norm, everything that came in can be computed again.",
        "the theorem LN(a) = LN(a') if and only if a' = αa + β1 with α > 0; StyleGAN2's droplets"
            + " (Karras et al. 2020) are such a unit, learned; row 47",
        "1 s");
  }

  private static final int WIDTH = 64;
  private static final int INPUTS = 10;

  @Override
  public void observe(Size size, long seed, Notebook note) {
    int cases = size.of(20, 500, 5000);
    double[] scales = {0.01, 0.1, 1, 10, 100};
    double[] errors = new double[scales.length];
    try (var _ = Scope.open()) {
      Tensor a = Tensor.normal(RandomKey.of(seed, "a"), DType.FLOAT64, cases, WIDTH);
      for (int i = 0; i < scales.length; i++) {
        errors[i] = recovered(a.times(scales[i]).plus(scales[i]), 0) / scales[i];
      }
      note.measure(
          "reference units, largest error of a",
          recovered(a.times(3).plus(7), 0),
          Bound.atMost(1e-10));
      note.measure(
          "reference units, ε = 1e-5, largest error of a",
          recovered(a.times(3).plus(7), 1e-5),
          Bound.atMost(1e-10));
      note.measure(
          "a and 2a + 3 behind layer norm alone, largest difference",
          difference(a, a.times(2).plus(3)),
          Bound.atMost(1e-10));
      note.measure(
          "bias before the norm, largest error of x",
          throughTheBias(cases, seed),
          Bound.atMost(1e-7));
    }
    note.curve(
        "Error of what reference units give back, over the size of a",
        "standard deviation and mean of a",
        "largest error over the standard deviation",
        Scale.LOG,
        "float64",
        scales,
        errors);
  }

  /// Returns the largest error of a as it is computed from its norm.
  private static double recovered(Tensor a, double epsilon) {
    Tensor beside = new References().predict(a);
    double[][] z = Table.rows(LayerNorm.plain(WIDTH + 2).withEpsilon(epsilon).predict(beside));
    double[][] rows = Table.rows(a);
    double error = 0;
    for (int i = 0; i < z.length; i++) {
      double sigma = 1 / (z[i][WIDTH + 1] - z[i][WIDTH]);
      double mu = -z[i][WIDTH] * sigma;
      for (int j = 0; j < WIDTH; j++) {
        error = Math.max(error, Math.abs(z[i][j] * sigma + mu - rows[i][j]));
      }
    }
    return error;
  }

  private static double difference(Tensor a, Tensor b) {
    LayerNorm norm = LayerNorm.plain(WIDTH).withEpsilon(0);
    double[] one = norm.predict(a).toDoubles();
    double[] two = norm.predict(b).toDoubles();
    double most = 0;
    for (int i = 0; i < one.length; i++) {
      most = Math.max(most, Math.abs(one[i] - two[i]));
    }
    return most;
  }

  private static double throughTheBias(int cases, long seed) {
    double[] bias = new double[WIDTH];
    for (int i = 0; i < WIDTH; i++) {
      bias[i] = RandomKey.of(seed, "bias").normal(i);
    }
    Tensor weight = Init.he(seed).weights("dense.weight", INPUTS, WIDTH, INPUTS);
    Dense dense = new Dense(Param.of(weight.to(DType.FLOAT64)), Param.of(Tensor.of(bias, WIDTH)));
    double[] w = dense.weight().value().toDoubles();
    Tensor x = Tensor.normal(RandomKey.of(seed, "x"), DType.FLOAT64, cases, INPUTS);
    double[][] rows = Table.rows(x);
    double[][] z = Table.rows(LayerNorm.plain(WIDTH).withEpsilon(0).predict(dense.predict(x)));
    double error = 0;
    for (int i = 0; i < cases; i++) {
      double[][] columns = new double[WIDTH][INPUTS + 2];
      double[] right = new double[WIDTH];
      for (int j = 0; j < WIDTH; j++) {
        System.arraycopy(w, j * INPUTS, columns[j], 0, INPUTS);
        columns[j][INPUTS] = -z[i][j];
        columns[j][INPUTS + 1] = -1;
        right[j] = -bias[j];
      }
      double[] solution = leastSquares(columns, right);
      for (int k = 0; k < INPUTS; k++) {
        error = Math.max(error, Math.abs(solution[k] - rows[i][k]));
      }
    }
    return error;
  }

  /// Solves a least squares problem: orthogonalises the columns one after the other (modified Gram
  /// and Schmidt), then solves the triangular system from the last row up.
  private static double[] leastSquares(double[][] a, double[] right) {
    int rows = a.length;
    int n = a[0].length;
    double[][] r = new double[n][n + 1];
    for (int j = 0; j < n; j++) {
      double norm = 0;
      for (int i = 0; i < rows; i++) {
        norm += a[i][j] * a[i][j];
      }
      r[j][j] = Math.sqrt(norm);
      for (int i = 0; i < rows; i++) {
        a[i][j] /= r[j][j];
      }
      for (int k = j + 1; k <= n; k++) {
        double dot = 0;
        for (int i = 0; i < rows; i++) {
          dot += a[i][j] * (k == n ? right[i] : a[i][k]);
        }
        r[j][k] = dot;
        for (int i = 0; i < rows; i++) {
          if (k == n) {
            right[i] -= dot * a[i][j];
          } else {
            a[i][k] -= dot * a[i][j];
          }
        }
      }
    }
    double[] x = new double[n];
    for (int j = n - 1; j >= 0; j--) {
      double sum = r[j][n];
      for (int k = j + 1; k < n; k++) {
        sum -= r[j][k] * x[k];
      }
      x[j] = sum / r[j][j];
    }
    return x;
  }
}
