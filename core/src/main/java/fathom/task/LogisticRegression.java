package fathom.task;

import java.util.Arrays;

/// A linear classifier of features: the multinomial logistic regression with the least mean
/// cross-entropy plus a penalty on its weights, ρ/2·Σw².
///
/// The penalty is for features that have their mean subtracted and are divided by the root of their
/// mean squared norm, so it does not depend on their number and scale. It keeps the weights small
/// where classes can be separated, as those of few examples can.
///
/// On that scale the second derivative lies between ρ and 1+ρ (Böhning 1992: that of the
/// cross-entropy is at most half the mean of x·xᵀ, here with a constant feature for the bias), so
/// Nesterov's accelerated gradient with a fixed step and momentum converges at a known rate: within
/// a few hundred passes over the features.
///
/// @param weight the weights, a row for each class
/// @param bias the bias of each class
public record LogisticRegression(double[][] weight, double[] bias) {
  private static final double PENALTY = 0.005;
  private static final int MOST_PASSES = 1000;

  /// A variance below this part of the mean's square is that of rounded numbers.
  private static final double ROUNDING = 1e-20;

  /// The norm of the gradient at which it ends.
  private static final double PRECISION = 1e-6;

  /// Fits the regression to examples, at least one.
  ///
  /// @param features the features of each example
  /// @param labels the class of each example, from 0 to `classes` - 1
  public static LogisticRegression of(double[][] features, int[] labels, int classes) {
    int size = features[0].length;
    double[] mean = new double[size];
    for (double[] row : features) {
      for (int f = 0; f < size; f++) {
        mean[f] += row[f] / features.length;
      }
    }
    double square = 0;
    for (double[] row : features) {
      for (int f = 0; f < size; f++) {
        square += (row[f] - mean[f]) * (row[f] - mean[f]) / features.length;
      }
    }
    boolean varies = square > ROUNDING * dot(mean, mean);
    double scale = varies ? StrictMath.sqrt(square) : 1;
    double[][] scaled = new double[features.length][size + 1];
    for (int i = 0; i < scaled.length; i++) {
      for (int f = 0; f < size; f++) {
        scaled[i][f] = (features[i][f] - mean[f]) / scale;
      }
      scaled[i][size] = 1; // for the bias
    }
    double[][] fitted = minimised(scaled, labels, classes);
    double[][] weight = new double[classes][size];
    double[] bias = new double[classes];
    for (int c = 0; c < classes; c++) {
      bias[c] = fitted[c][size];
      for (int f = 0; f < size; f++) {
        weight[c][f] = fitted[c][f] / scale;
        bias[c] -= weight[c][f] * mean[f];
      }
    }
    return new LogisticRegression(weight, bias);
  }

  private static double[][] minimised(double[][] features, int[] labels, int classes) {
    int size = features[0].length;
    double condition = StrictMath.sqrt((1 + PENALTY) / PENALTY);
    double momentum = (condition - 1) / (condition + 1);
    double[][] weight = new double[classes][size];
    double[][] ahead = new double[classes][size];
    for (int pass = 0; pass < MOST_PASSES; pass++) {
      double[][] gradient = gradient(ahead, features, labels);
      double square = 0;
      for (int c = 0; c < classes; c++) {
        for (int f = 0; f < size; f++) {
          square += gradient[c][f] * gradient[c][f];
          double next = ahead[c][f] - gradient[c][f] / (1 + PENALTY);
          ahead[c][f] = next + momentum * (next - weight[c][f]);
          weight[c][f] = next;
        }
      }
      if (square < PRECISION * PRECISION) {
        break;
      }
    }
    return weight;
  }

  /// The derivative of the mean cross-entropy with its penalty.
  private static double[][] gradient(double[][] weight, double[][] features, int[] labels) {
    double[][] gradient = new double[weight.length][];
    for (int c = 0; c < weight.length; c++) {
      gradient[c] = Arrays.stream(weight[c]).map(value -> PENALTY * value).toArray();
    }
    double[] p = new double[weight.length];
    for (int i = 0; i < labels.length; i++) {
      double[] x = features[i];
      double most = Double.NEGATIVE_INFINITY;
      for (int c = 0; c < p.length; c++) {
        p[c] = dot(weight[c], x);
        most = Math.max(most, p[c]);
      }
      double sum = 0;
      for (int c = 0; c < p.length; c++) {
        p[c] = StrictMath.exp(p[c] - most); // the same bits whatever has been compiled
        sum += p[c];
      }
      for (int c = 0; c < p.length; c++) {
        double by = (p[c] / sum - (labels[i] == c ? 1 : 0)) / labels.length;
        for (int f = 0; f < x.length; f++) {
          gradient[c][f] += by * x[f];
        }
      }
    }
    return gradient;
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }
}
