package fathom.lab.instrument;

import fathom.Tensor;

/// Measures of a batch N×F with one example in each row, of activations or of cotangents.
public final class Rows {
  private Rows() {}

  /// Returns the mean cosine between two different rows, `(‖Σ r̂‖² − N) / (N·(N − 1))` with r̂ =
  /// r/‖r‖. For the gradients of the examples by their inputs, it tells whether one step can serve
  /// all examples (1) or not (0: "shattered", Balduzzi et al. 2017); for activations, whether a net
  /// still distinguishes its inputs. Rows of zeros count as orthogonal to all. The cost is N·F
  /// multiplications.
  ///
  /// @throws IllegalArgumentException unless the batch is N×F with at least two rows
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
      double squares = 0; // of parts of the largest, because squares overflow
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

  /// Returns √(Σ x²) over all elements. The cost is N·F multiplications.
  public static double norm(Tensor batch) {
    double sum = 0;
    for (double d : batch.toDoubles()) {
      sum += d * d;
    }
    return Math.sqrt(sum);
  }

  /// Returns the mean over the features of a feature's standard deviation over the batch, the layer
  /// response of the residual paper's figure 7. The cost is N·F multiplications.
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

  /// Returns the share of elements that are at most `low` or at least `high`; for a sigmoid, for
  /// example, 0.01 and 0.99, where its derivative is below 0.01. The cost is N·F comparisons.
  public static double saturated(Tensor batch, double low, double high) {
    double[] x = batch.toDoubles();
    int count = 0;
    for (double d : x) {
      count += d <= low || d >= high ? 1 : 0;
    }
    return count / (double) x.length;
  }
}
