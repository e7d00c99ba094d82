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
    return of(logits, labels, labels, 1, smoothing);
  }

  /// Returns the loss of examples that are mixed of two: λ·(that of `labels`) + (1−λ)·(that of
  /// `others`), each with smoothed labels (Zhang et al. 2017, section 2). Throws
  /// `IllegalArgumentException` unless 0 ≤ λ ≤ 1, and as [#of(Tensor, int[], double)] does.
  public static Traced of(
      Tensor logits, int[] labels, int[] others, double lambda, double smoothing) {
    if (!(smoothing >= 0 && smoothing < 1)) {
      throw new IllegalArgumentException(
          "labels are smoothed by 0 or more and less than 1, but `smoothing` is " + smoothing);
    }
    if (!(lambda >= 0 && lambda <= 1)) {
      throw new IllegalArgumentException(
          "a mixed label has a share λ of 0 to 1 in the loss, but λ is " + lambda);
    }
    int classes = check(logits, labels);
    check(logits, others);
    double own = (1 - smoothing) * lambda;
    double other = (1 - smoothing) * (1 - lambda);
    double total = Step.current().total(labels.length);
    DType type = logits.type();
    Tensor logP = logProbabilities(logits);
    double[] values = logP.toDoubles();
    double each = smoothing / classes;
    double sum = 0;
    for (int i = 0; i < labels.length; i++) {
      sum -= own * values[i * classes + labels[i]];
      if (other > 0) {
        sum -= other * values[i * classes + others[i]];
      }
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
              d[i * classes + labels[i]] -= own;
              d[i * classes + others[i]] -= other;
            }
            double scale = dy.item() / total;
            for (int i = 0; i < d.length; i++) {
              d[i] = (d[i] - each) * scale;
            }
            return scope.keep(dlogits.copy_(d).to(type));
          }
        });
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
