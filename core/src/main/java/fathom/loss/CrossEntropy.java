package fathom.loss;

import fathom.DType;
import fathom.Scope;
import fathom.Tensor;
import fathom.Traced;
import fathom.parallel.Step;
import java.util.Arrays;

/// The cross-entropy of class indices under a softmax, in nats: −(1/n)·Σ log p[i, label(i)], where
/// log p = logits − log Σ exp(logits) and n counts the examples of the whole batch over all
/// workers. The loss and gradients of a worker are its share, so that their sum over the workers is
/// that of the batch. The loss of bfloat16 logits is in float32.
public final class CrossEntropy {
  private CrossEntropy() {}

  /// Returns the loss of N×K `logits`, as a tensor without dimensions, with the pullback to the
  /// logits. Throws `IllegalArgumentException` unless there are N labels in 0..K−1.
  public static Traced of(Tensor logits, int[] labels) {
    return of(logits, labels, 0);
  }

  /// Returns the loss with smoothed labels (Szegedy et al. 2016, section 7). The label gives up ε =
  /// `smoothing`, and every class gets ε/K. The loss is −(1/n)·Σ q·log p for q = (1−ε)·one-hot +
  /// ε/K. Throws `IllegalArgumentException` unless 0 ≤ ε < 1, and as [#of(Tensor, int[])] does.
  public static Traced of(Tensor logits, int[] labels, double smoothing) {
    checkSmoothing(smoothing);
    int classes = check(logits, labels);
    double total = Step.current().total(labels.length);
    DType type = logits.type();
    Tensor logP = logProbabilities(logits);
    double[] values = logP.toDoubles();
    double each = smoothing / classes;
    double sum = 0;
    for (int i = 0; i < labels.length; i++) {
      sum -= (1 - smoothing) * values[i * classes + labels[i]];
    }
    if (smoothing > 0) {
      for (double value : values) {
        sum -= each * value;
      }
    }
    return new Traced(
        Tensor.scalar(logP.type(), sum / total),
        dy -> {
          try (var scope = Scope.open()) {
            // d/dlogits = (softmax − q) / n
            Tensor dlogits = logP.exp();
            double[] d = dlogits.toDoubles();
            for (int i = 0; i < labels.length; i++) {
              d[i * classes + labels[i]] -= 1 - smoothing;
            }
            double scale = dy.item() / total;
            for (int i = 0; i < d.length; i++) {
              d[i] = (d[i] - each) * scale;
            }
            return scope.keep(dlogits.copy_(d).to(type));
          }
        });
  }

  /// Returns the loss with a weight for each class, as PyTorch's `CrossEntropyLoss(weight,
  /// label_smoothing)` defines it: (1/W)·Σ −Σ_c q[i,c]·log p[i,c], where q[i,c] = w[c]·((1−ε)·[c =
  /// label(i)] + ε/K). W is `total`, the sum of w[label(i)] over the whole batch of all workers, so
  /// that the loss is a mean. Throws `IllegalArgumentException` unless there is a positive weight
  /// for each class, and as [#of(Tensor, int[], double)] does.
  ///
  /// @param weights w, a number for each class
  /// @param total W
  public static Traced of(
      Tensor logits, int[] labels, double smoothing, double[] weights, double total) {
    checkSmoothing(smoothing);
    int classes = check(logits, labels);
    checkWeights(weights, classes, total);
    DType type = logits.type();
    Tensor logP = logProbabilities(logits);
    double[] values = logP.toDoubles();
    double sum = 0;
    for (int i = 0; i < labels.length; i++) {
      sum -= (1 - smoothing) * weights[labels[i]] * values[i * classes + labels[i]];
      for (int c = 0; smoothing > 0 && c < classes; c++) {
        sum -= smoothing / classes * weights[c] * values[i * classes + c];
      }
    }
    double all = Arrays.stream(weights).sum();
    return new Traced(
        Tensor.scalar(logP.type(), sum / total),
        dy -> {
          try (var scope = Scope.open()) {
            // d/dlogits[i] = (softmax·Σ_c q[i,c] − q[i]) / W
            Tensor dlogits = logP.exp();
            double[] d = dlogits.toDoubles();
            double scale = dy.item() / total;
            for (int i = 0; i < labels.length; i++) {
              double own = (1 - smoothing) * weights[labels[i]];
              double q = own + smoothing / classes * all;
              for (int c = 0; c < classes; c++) {
                double at = smoothing / classes * weights[c] + (c == labels[i] ? own : 0);
                d[i * classes + c] = (d[i * classes + c] * q - at) * scale;
              }
            }
            return scope.keep(dlogits.copy_(d).to(type));
          }
        });
  }

  private static void checkWeights(double[] weights, int classes, double total) {
    boolean positive = Arrays.stream(weights).allMatch(w -> w > 0 && Double.isFinite(w));
    if (weights.length != classes || !positive || !(total > 0)) {
      throw new IllegalArgumentException(
          "each of the %s classes needs a weight above 0, and a batch a sum of them above 0, but the weights are %s and the sum is %s"
              .formatted(classes, Arrays.toString(weights), total));
    }
  }

  private static void checkSmoothing(double smoothing) {
    if (!(smoothing >= 0 && smoothing < 1)) {
      throw new IllegalArgumentException(
          "labels are smoothed by 0 or more and less than 1, but `smoothing` is " + smoothing);
    }
  }

  /// Returns Σ −log p[i, label(i)] over these examples, in nats, for a mean over many batches.
  public static double sum(Tensor logits, int[] labels) {
    int classes = check(logits, labels);
    try (var _ = Scope.open()) {
      double[] values = logProbabilities(logits).toDoubles();
      double sum = 0;
      for (int i = 0; i < labels.length; i++) {
        sum -= values[i * classes + labels[i]];
      }
      return sum;
    }
  }

  /// Returns the number of rows of `logits` whose largest element is not at the label.
  public static int errors(Tensor logits, int[] labels) {
    int[] predicted = logits.argMax();
    int errors = 0;
    for (int i = 0; i < labels.length; i++) {
      errors += predicted[i] == labels[i] ? 0 : 1;
    }
    return errors;
  }

  private static Tensor logProbabilities(Tensor logits) {
    try (var scope = Scope.open()) {
      Tensor wide = logits.type() == DType.BFLOAT16 ? logits.to(DType.FLOAT32) : logits;
      return scope.keep(wide.logSoftmax(1));
    }
  }

  private static int check(Tensor logits, int[] labels) {
    if (logits.shape().rank() != 2 || logits.shape().size(0) != labels.length) {
      throw new IllegalArgumentException(
          "cross-entropy needs N×K logits and N labels, but was given %s and %s labels"
              .formatted(logits.shape(), labels.length));
    }
    int classes = (int) logits.shape().size(1);
    int largest = Arrays.stream(labels).max().orElse(0);
    int smallest = Arrays.stream(labels).min().orElse(0);
    if (smallest < 0 || largest >= classes) {
      throw new IllegalArgumentException(
          "labels lie in 0..%s for %s classes, but there are some from %s to %s"
              .formatted(classes - 1, classes, smallest, largest));
    }
    return classes;
  }
}
