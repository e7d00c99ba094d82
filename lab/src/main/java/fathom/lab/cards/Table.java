package fathom.lab.cards;

import fathom.Tensor;

/// Tensors of N×F as rows, and statistics of rows and columns.
final class Table {
  private Table() {}

  static double[][] rows(Tensor batch) {
    int n = (int) batch.shape().size(0);
    double[] x = batch.toDoubles();
    int features = x.length / n;
    double[][] rows = new double[n][features];
    for (int i = 0; i < x.length; i++) {
      rows[i / features][i % features] = x[i];
    }
    return rows;
  }

  /// Returns the mean of each row, as N×1.
  static double[][] means(double[][] rows) {
    double[][] means = new double[rows.length][1];
    for (int i = 0; i < rows.length; i++) {
      for (double x : rows[i]) {
        means[i][0] += x / rows[i].length;
      }
    }
    return means;
  }

  /// Returns the standard deviation of each row, as N×1.
  static double[][] standardDeviations(double[][] rows) {
    double[][] means = means(rows);
    double[][] standardDeviations = new double[rows.length][1];
    for (int i = 0; i < rows.length; i++) {
      for (double x : rows[i]) {
        standardDeviations[i][0] += Math.pow(x - means[i][0], 2) / rows[i].length;
      }
      standardDeviations[i][0] = Math.sqrt(standardDeviations[i][0]);
    }
    return standardDeviations;
  }

  static double[][] beside(double[][] a, double[][] b) {
    double[][] both = new double[a.length][a[0].length + b[0].length];
    for (int i = 0; i < a.length; i++) {
      System.arraycopy(a[i], 0, both[i], 0, a[i].length);
      System.arraycopy(b[i], 0, both[i], a[i].length, b[i].length);
    }
    return both;
  }

  static double mean(double[] x) {
    double sum = 0;
    for (double v : x) {
      sum += v;
    }
    return sum / x.length;
  }

  /// Returns Pearson's correlation; NaN if one of the two does not vary.
  static double correlation(double[] a, double[] b) {
    double meanA = mean(a);
    double meanB = mean(b);
    double ab = 0;
    double aa = 0;
    double bb = 0;
    for (int i = 0; i < a.length; i++) {
      ab += (a[i] - meanA) * (b[i] - meanB);
      aa += (a[i] - meanA) * (a[i] - meanA);
      bb += (b[i] - meanB) * (b[i] - meanB);
    }
    return ab / Math.sqrt(aa * bb);
  }

  /// Returns R² = 1 − Σ(t − p)² / Σ(t − t̄)²; NaN if a prediction is not finite.
  static double r2(double[] prediction, double[] target) {
    double mean = mean(target);
    double missed = 0;
    double total = 0;
    for (int i = 0; i < target.length; i++) {
      missed += Math.pow(target[i] - prediction[i], 2);
      total += Math.pow(target[i] - mean, 2);
    }
    double r2 = 1 - missed / total;
    return Double.isFinite(r2) ? r2 : Double.NaN;
  }
}
