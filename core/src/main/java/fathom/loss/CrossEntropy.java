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

  /// The labels of a batch whose examples are mixed of two: the one has the share λ of an example,
  /// the other 1−λ (Zhang et al. 2017, section 2).
  ///
  /// @param own the labels of the examples themselves
  /// @param others the labels of what is mixed into them
  /// @param lambda λ, 0 to 1; with 1 `others` means nothing
  public record Labels(int[] own, int[] others, double lambda) {
    /// Throws `IllegalArgumentException` unless 0 ≤ λ ≤ 1 and there are as many labels of both.
    public Labels {
      if (!(lambda >= 0 && lambda <= 1) || own.length != others.length) {
        throw new IllegalArgumentException(
            "a mixed example has two labels, one with a share λ of 0 to 1, but λ is %s, and there are %s and %s labels"
                .formatted(lambda, own.length, others.length));
      }
    }

    /// Returns labels of examples that are not mixed.
    public static Labels of(int[] labels) {
      return new Labels(labels, labels, 1);
    }

    /// Returns the label with the larger share of each example.
    public int[] dominant() {
      return lambda < 0.5 ? others : own;
    }

    /// Returns the sum of these weights over the labels, each by its share.
    public double sum(double[] weights) {
      double sum = 0;
      for (int i = 0; i < own.length; i++) {
        sum += lambda * weights[own[i]] + (1 - lambda) * weights[others[i]];
      }
      return sum;
    }
  }

  /// Returns the loss of N×K `logits`, as a tensor without dimensions, with the pullback to the
  /// logits. Throws `IllegalArgumentException` unless there are N labels in 0..K−1.
  public static Traced of(Tensor logits, int[] labels) {
    return of(logits, labels, 0);
  }

  /// Returns the loss with smoothed labels (Szegedy et al. 2016, section 7). The label gives up ε =
  /// `smoothing`, and every class gets ε/K. The loss is −(1/n)·Σ q·log p for q = (1−ε)·one-hot +
  /// ε/K. Throws `IllegalArgumentException` unless 0 ≤ ε < 1, and as [#of(Tensor, int[])] does.
  public static Traced of(Tensor logits, int[] labels, double smoothing) {
    return of(logits, Labels.of(labels), smoothing);
  }

  /// Returns the loss of mixed examples: λ·(that of one label) + (1−λ)·(that of the other), each
  /// smoothed. Throws `IllegalArgumentException` as [#of(Tensor, int[], double)] does.
  public static Traced of(Tensor logits, Labels labels, double smoothing) {
    return of(
        logits, labels, smoothing, new double[0], (double) Step.current().total(labels.own.length));
  }

  /// Returns the loss with a weight for each class, as PyTorch's `CrossEntropyLoss(weight,
  /// label_smoothing)` defines it: `(1/W)·Σ −Σ_c q[i,c]·log p[i,c]`, where `q[i,c] =
  /// w[c]·((1−ε)·(λ·[c = own(i)] + (1−λ)·[c = other(i)]) + ε/K)`. W is `total`, [Labels#sum] over
  /// the whole batch of all workers, so that the loss is a mean. Throws `IllegalArgumentException`
  /// unless there is a positive weight for each class, and as [#of(Tensor, int[], double)] does.
  ///
  /// @param weights w, a number for each class; none counts all classes alike
  /// @param total W
  public static Traced of(
      Tensor logits, Labels labels, double smoothing, double[] weights, double total) {
    checkSmoothing(smoothing);
    int classes = check(logits, labels.own);
    check(logits, labels.others);
    checkWeights(weights, classes, total);
    DType type = logits.type();
    Tensor logP = logProbabilities(logits);
    double[] values = logP.toDoubles();
    double[] q = new double[classes];
    double sum = 0;
    for (int i = 0; i < labels.own.length; i++) {
      target(labels, i, smoothing, weights, q);
      for (int c = 0; c < classes; c++) {
        sum -= q[c] == 0 ? 0 : q[c] * values[i * classes + c]; // log p may be −∞ elsewhere
      }
    }
    return new Traced(
        Tensor.scalar(logP.type(), sum / total),
        dy -> {
          try (var scope = Scope.open()) {
            // d/dlogits[i] = (softmax·Σ_c q[i,c] − q[i]) / W
            Tensor dlogits = logP.exp();
            double[] d = dlogits.toDoubles();
            double scale = dy.item() / total;
            for (int i = 0; i < labels.own.length; i++) {
              double whole = target(labels, i, smoothing, weights, q);
              for (int c = 0; c < classes; c++) {
                d[i * classes + c] = (d[i * classes + c] * whole - q[c]) * scale;
              }
            }
            return scope.keep(dlogits.copy_(d).to(type));
          }
        });
  }

  /// Writes q[i,·] to `q`, and returns the sum of it.
  private static double target(
      Labels labels, int i, double smoothing, double[] weights, double[] q) {
    Arrays.fill(q, smoothing / q.length);
    q[labels.own[i]] += (1 - smoothing) * labels.lambda;
    q[labels.others[i]] += (1 - smoothing) * (1 - labels.lambda);
    if (weights.length == 0) {
      return 1;
    }
    double sum = 0;
    for (int c = 0; c < q.length; c++) {
      q[c] *= weights[c];
      sum += q[c];
    }
    return sum;
  }

  private static void checkWeights(double[] weights, int classes, double total) {
    boolean positive = Arrays.stream(weights).allMatch(w -> w > 0 && Double.isFinite(w));
    boolean forAll = weights.length == 0 || weights.length == classes;
    if (!forAll || !positive || !(weights.length == 0 || total > 0)) {
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
