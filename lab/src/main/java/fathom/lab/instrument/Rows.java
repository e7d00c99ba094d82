package fathom.lab.instrument;

import fathom.Tensor;

/// Measures of a batch N×F, one example in each row: of responses, or of cotangents.
public final class Rows {
  private Rows() {}

  /// The mean cosine between two different rows, `(‖Σ r̂‖² − N) / (N·(N − 1))` with r̂ = r/‖r‖. Of
  /// the gradients of the examples by their inputs, it says whether one step can serve them all (1)
  /// or not (0: "shattered", Balduzzi et al. 2017); of responses, whether a net still tells its
  /// inputs apart. Rows of zeros count as orthogonal to all. Cost: N·F multiplications.
  ///
  /// @throws IllegalArgumentException unless there are two rows at least
  public static double cosine(Tensor batch) {
    int n = (int) batch.shape().size(0);
    if (batch.shape().rank() != 2 || n < 2) {
      throw new IllegalArgumentException(
          "a cosine between rows needs N×F with two rows at least, but was given " + batch.shape());
    }
    double[] x = batch.toDoubles();
    int features = x.length / n;
    double[] sum = new double[features];
    int nonzero = 0;
    for (int row = 0; row < n; row++) {
      double largest = 0;
      for (int f = 0; f < features; f++) {
        largest = Math.max(largest, Math.abs(x[row * features + f]));
      }
      if (largest == 0) {
        continue;
      }
      nonzero++;
      double squares = 0; // of parts of the largest: squares leave the range soon
      for (int f = 0; f < features; f++) {
        squares += Math.pow(x[row * features + f] / largest, 2);
      }
      for (int f = 0; f < features; f++) {
        sum[f] += x[row * features + f] / largest / Math.sqrt(squares);
      }
    }
    double total = 0;
    for (double s : sum) {
      total += s * s;
    }
    return (total - nonzero) / ((double) n * (n - 1));
  }

  /// √(Σ x²) over all elements. Cost: N·F multiplications.
  public static double norm(Tensor batch) {
    double sum = 0;
    for (double d : batch.toDoubles()) {
      sum += d * d;
    }
    return Math.sqrt(sum);
  }

  /// The mean over the features of a feature's standard deviation over the batch: what the residual
  /// paper's figure 7 shows, a layer's response. Cost: N·F multiplications.
  public static double standardDeviation(Tensor batch) {
    int n = (int) batch.shape().size(0);
    double[] x = batch.toDoubles();
    int features = x.length / n;
    double sum = 0;
    for (int f = 0; f < features; f++) {
      double mean = 0;
      for (int row = 0; row < n; row++) {
        mean += x[row * features + f] / n;
      }
      double squares = 0;
      for (int row = 0; row < n; row++) {
        squares += Math.pow(x[row * features + f] - mean, 2) / n;
      }
      sum += Math.sqrt(squares);
    }
    return sum / features;
  }

  /// The share of elements that are `low` or less, or `high` or more: of a sigmoid 0.01 and 0.99,
  /// say, where its derivative is below 0.01. Cost: N·F comparisons.
  public static double saturated(Tensor batch, double low, double high) {
    double[] x = batch.toDoubles();
    int count = 0;
    for (double d : x) {
      count += d <= low || d >= high ? 1 : 0;
    }
    return count / (double) x.length;
  }
}
