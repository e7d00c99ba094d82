package fathom.loss;

import fathom.DType;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;
import fathom.parallel.Step;
import java.util.Arrays;

/// A measure of the distance between N×K×H×W logits of the classes of pixels and N masks: the mean,
/// over the images of the whole batch over all workers, of a measure of each image. The loss and
/// gradients of a worker are its share.
///
/// A mask holds the H·W classes of an image in row-major order, one byte for each pixel. Pixels
/// that are [#UNLABELLED] are ignored. p denotes the probabilities, the softmax of a pixel's logits
/// over the classes.
public final class PixelLoss {
  /// The label of a pixel whose class is unknown: 255, as in mask files.
  public static final byte UNLABELLED = (byte) 255;

  private final float[] weights;
  private final boolean dice;

  private PixelLoss(float[] weights, boolean dice) {
    this.weights = weights;
    this.dice = dice;
  }

  /// Returns the cross-entropy. For an image it is Σ w(y)·(−ln p(y)) / Σ w(y) over its labelled
  /// pixels, where y is the class of a pixel. Larger weights for rare classes keep the frequent
  /// ones from dominating.
  ///
  /// @param weights w, one for each of the K classes. Throws `IllegalArgumentException` unless
  ///   every weight is positive and finite
  public static PixelLoss crossEntropy(float... weights) {
    for (float weight : weights) {
      if (!(weight > 0) || Float.isInfinite(weight)) {
        throw new IllegalArgumentException(
            "a class has a positive weight, but they are " + Arrays.toString(weights));
      }
    }
    return new PixelLoss(weights.clone(), false);
  }

  /// Returns the Dice loss (Milletari et al. 2016, section 3, with sums instead of squares in the
  /// denominator). For an image it is 1 − (1/K)·Σ over the classes of (2·Σ p·t + 1) / (Σ p + Σ t +
  /// 1), where t is 1 at pixels of the class and 0 elsewhere. It measures overlap, so a class
  /// counts the same however few pixels it has.
  public static PixelLoss dice(int classes) {
    float[] equal = new float[classes];
    Arrays.fill(equal, 1);
    return new PixelLoss(equal, true);
  }

  /// The number of classes, K.
  public int classes() {
    return weights.length;
  }

  /// Returns the loss, as a tensor without dimensions, with the pullback to the logits. Throws
  /// `IllegalArgumentException` if the logits do not have K classes, the masks have another size,
  /// or a label is not a class.
  public Traced of(Tensor scores, byte[] masks) {
    double total = Step.current().total(scores.shape().size(0));
    float[] gradient = new float[Math.toIntExact(scores.shape().elements())];
    double sum = sum(scores, masks, gradient);
    Shape shape = scores.shape();
    return new Traced(
        Tensor.scalar(DType.FLOAT32, sum / total),
        dy -> {
          try (var scope = Scope.open()) {
            Tensor back =
                Tensor.of(gradient, shape.size(0), shape.size(2), shape.size(3), shape.size(1))
                    .permute(0, 3, 1, 2);
            return scope.keep(back.times(dy.item() / total).to(scores.type()));
          }
        });
  }

  /// Returns the sum of the losses of these images, for a mean over many batches. Throws as [#of]
  /// does.
  public double sum(Tensor scores, byte[] masks) {
    return sum(scores, masks, new float[Math.toIntExact(scores.shape().elements())]);
  }

  /// Returns the sum of the losses and fills `gradient` with the gradient of each image's loss, in
  /// channels-last order.
  private double sum(Tensor scores, byte[] masks, float[] gradient) {
    Shape shape = scores.shape();
    check(shape, masks);
    int n = (int) shape.size(0);
    int pixels = Math.toIntExact(shape.size(2) * shape.size(3));
    float[] p = probabilities(scores);
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum +=
          dice
              ? diceOf(p, gradient, masks, i * pixels, pixels)
              : crossEntropyOf(p, gradient, masks, i * pixels, pixels);
    }
    return sum;
  }

  /// Returns each pixel's softmax over the classes, in channels-last order.
  private float[] probabilities(Tensor scores) {
    int classes = weights.length;
    float[] p = new float[Math.toIntExact(scores.shape().elements())];
    try (var _ = Scope.open()) {
      double[] elements = scores.permute(0, 2, 3, 1).contiguous().toDoubles();
      for (int i = 0; i < p.length; i++) {
        p[i] = (float) elements[i];
      }
    }
    for (int at = 0; at < p.length; at += classes) {
      float largest = p[at];
      for (int k = 1; k < classes; k++) {
        largest = Math.max(largest, p[at + k]);
      }
      double sum = 0;
      for (int k = 0; k < classes; k++) {
        double e = Math.exp(p[at + k] - largest);
        p[at + k] = (float) e;
        sum += e;
      }
      for (int k = 0; k < classes; k++) {
        p[at + k] = (float) (p[at + k] / sum);
      }
    }
    return p;
  }

  /// Computes the loss and gradient of one image: the derivative of w·(−ln p(y)) with respect to
  /// the logit of class k is w·(p(k) − [k = y]).
  private double crossEntropyOf(float[] p, float[] gradient, byte[] masks, int from, int pixels) {
    int classes = weights.length;
    double whole = 0;
    for (int i = from; i < from + pixels; i++) {
      whole += masks[i] == UNLABELLED ? 0 : weights[masks[i]];
    }
    if (whole == 0) {
      return 0;
    }
    double sum = 0;
    for (int i = from; i < from + pixels; i++) {
      if (masks[i] != UNLABELLED) {
        float share = (float) (weights[masks[i]] / whole);
        sum -= share * Math.log(Math.max(p[i * classes + masks[i]], Float.MIN_NORMAL));
        for (int k = 0; k < classes; k++) {
          gradient[i * classes + k] = share * (p[i * classes + k] - (k == masks[i] ? 1 : 0));
        }
      }
    }
    return sum;
  }

  /// Computes the loss and gradient of one image. With a = Σ p·t and b = Σ p + Σ t of a class, the
  /// derivative of its part with respect to p is −(2·t·(b + 1) − (2·a + 1)) / (b + 1)² / K, and the
  /// softmax turns dE/dp into dE/dlogit(k) = p(k)·(dE/dp(k) − Σ p·dE/dp).
  private double diceOf(float[] p, float[] gradient, byte[] masks, int from, int pixels) {
    int classes = weights.length;
    double[] both = new double[classes];
    double[] either = new double[classes];
    for (int i = from; i < from + pixels; i++) {
      if (masks[i] != UNLABELLED) {
        for (int k = 0; k < classes; k++) {
          float t = k == masks[i] ? 1 : 0;
          both[k] += p[i * classes + k] * t;
          either[k] += p[i * classes + k] + t;
        }
      }
    }
    double sum = 1;
    for (int k = 0; k < classes; k++) {
      sum -= (2 * both[k] + 1) / (either[k] + 1) / classes;
    }
    double[] dp = new double[classes];
    for (int i = from; i < from + pixels; i++) {
      if (masks[i] != UNLABELLED) {
        double mean = 0;
        for (int k = 0; k < classes; k++) {
          double t = k == masks[i] ? 1 : 0;
          double below = either[k] + 1;
          dp[k] = -(2 * t * below - (2 * both[k] + 1)) / (below * below) / classes;
          mean += p[i * classes + k] * dp[k];
        }
        for (int k = 0; k < classes; k++) {
          gradient[i * classes + k] = (float) (p[i * classes + k] * (dp[k] - mean));
        }
      }
    }
    return sum;
  }

  private void check(Shape scores, byte[] masks) {
    int classes = weights.length;
    if (scores.rank() != 4 || scores.size(1) != classes) {
      throw new IllegalArgumentException(
          "scores of %s classes of pixels are N×%s×H×W, but they are %s"
              .formatted(classes, classes, scores));
    }
    long pixels = scores.size(0) * scores.size(2) * scores.size(3);
    if (masks.length != pixels) {
      throw new IllegalArgumentException(
          "masks have a label for each of the %s pixels of %s, but have %s"
              .formatted(pixels, scores, masks.length));
    }
    for (byte label : masks) {
      if (label != UNLABELLED && (label < 0 || label >= classes)) {
        throw new IllegalArgumentException(
            "labels of pixels are 0 to %s, or 255 where nothing is known, but one is %s"
                .formatted(classes - 1, label & 0xff));
      }
    }
  }
}
