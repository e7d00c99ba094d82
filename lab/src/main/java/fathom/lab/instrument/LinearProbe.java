package fathom.lab.instrument;

/// Measures how much of a number a linear fit can read from features: what a layer's activations
/// tell explicitly, and what the next layer can use at once.
public final class LinearProbe {
  /// The ridge, as a part of the features' variance. It decides among weights where features repeat
  /// each other, and suppresses directions that vary less than a thousandth of the rest.
  private static final double RIDGE = 1e-6;

  private LinearProbe() {}

  /// Returns the R² of a linear fit on rows that it was not fitted on: 1 − Σ(t − p)² / Σ(t − t̄)²
  /// over the second half of the rows, where p = w·z + t̄₁ is fitted on the first half and t̄ is
  /// the mean of the second. z are the features, each minus its mean and divided by its standard
  /// deviation in the first half (0 if it is constant there), and w solves (ZᵀZ/n + 10⁻⁶·I)·w =
  /// Zᵀ(t − t̄₁)/n.
  ///
  /// A value of 1 means an exact fit. About 0 means that the features tell nothing, and below 0
  /// that what the fit found in the first half is wrong in the second. The order of the rows must
  /// be random. The result is NaN if one of the numbers is not finite, or if the target is constant
  /// in the second half. The cost is rows·features² / 4 + features³ / 6 multiply-adds, in float64.
  ///
  /// @param features a row for each example, all of one length
  /// @param target a number for each row
  /// @return R², at most 1
  /// @throws IllegalArgumentException for fewer than four rows, for rows without features or of
  ///   different lengths, and if there are not as many targets as rows
  public static double r2(double[][] features, double[] target) {
    check(features, target);
    int rows = features.length;
    int half = rows / 2;
    int width = features[0].length;
    double[] mean = new double[width];
    double[] scale = new double[width];
    for (int f = 0; f < width; f++) {
      moments(features, half, f, mean, scale);
    }
    double targetMean = mean(target, 0, half);
    double[][] a = new double[width][width];
    double[] b = new double[width];
    double[] z = new double[width];
    for (int row = 0; row < half; row++) {
      standardise(features[row], mean, scale, z);
      for (int i = 0; i < width; i++) {
        b[i] += z[i] * (target[row] - targetMean) / half;
        double zi = z[i] / half;
        for (int j = 0; j <= i; j++) {
          a[i][j] += zi * z[j];
        }
      }
    }
    for (int i = 0; i < width; i++) {
      a[i][i] += RIDGE;
    }
    solve(a, b);
    double heldMean = mean(target, half, rows);
    double missed = 0;
    double total = 0;
    for (int row = half; row < rows; row++) {
      standardise(features[row], mean, scale, z);
      double fit = targetMean;
      for (int i = 0; i < width; i++) {
        fit += b[i] * z[i];
      }
      missed += Math.pow(target[row] - fit, 2);
      total += Math.pow(target[row] - heldMean, 2);
    }
    double r2 = 1 - missed / total;
    return Double.isFinite(r2) ? r2 : Double.NaN;
  }

  private static void check(double[][] features, double[] target) {
    if (features.length < 4 || features.length != target.length) {
      throw new IllegalArgumentException(
          "a probe needs four rows at least and a target for each, but there are %s rows and %s targets"
              .formatted(features.length, target.length));
    }
    for (int row = 0; row < features.length; row++) {
      if (features[row].length != features[0].length || features[row].length == 0) {
        throw new IllegalArgumentException(
            "all rows have the same features, one at least, but row 0 has %s and row %s has %s"
                .formatted(features[0].length, row, features[row].length));
      }
    }
  }

  private static double mean(double[] of, int from, int to) {
    double sum = 0;
    for (int i = from; i < to; i++) {
      sum += of[i];
    }
    return sum / (to - from);
  }

  /// Computes the mean of feature `f`, and one over its standard deviation.
  private static void moments(double[][] features, int half, int f, double[] mean, double[] scale) {
    double sum = 0;
    double largest = 0;
    for (int row = 0; row < half; row++) {
      sum += features[row][f];
      largest = Math.max(largest, Math.abs(features[row][f]));
    }
    mean[f] = sum / half;
    double squares = 0;
    for (int row = 0; row < half; row++) {
      squares += Math.pow(features[row][f] - mean[f], 2);
    }
    double standardDeviation = Math.sqrt(squares / half);
    // One below the rounding error of the mean is rounding error. NaN must not become 0.
    scale[f] = standardDeviation <= 1e-14 * largest ? 0 : 1 / standardDeviation;
  }

  private static void standardise(double[] row, double[] mean, double[] scale, double[] z) {
    for (int f = 0; f < z.length; f++) {
      z[f] = (row[f] - mean[f]) * scale[f];
    }
  }

  /// Solves a·x = b into `b`, by Cholesky's a = L·Lᵀ in the lower triangle of `a`.
  private static void solve(double[][] a, double[] b) {
    int n = b.length;
    for (int j = 0; j < n; j++) {
      for (int i = j; i < n; i++) {
        double sum = a[i][j];
        for (int k = 0; k < j; k++) {
          sum -= a[i][k] * a[j][k];
        }
        a[i][j] = i == j ? Math.sqrt(sum) : sum / a[j][j];
      }
    }
    for (int i = 0; i < n; i++) {
      for (int k = 0; k < i; k++) {
        b[i] -= a[i][k] * b[k];
      }
      b[i] /= a[i][i];
    }
    for (int i = n - 1; i >= 0; i--) {
      for (int k = i + 1; k < n; k++) {
        b[i] -= a[k][i] * b[k];
      }
      b[i] /= a[i][i];
    }
  }
}
