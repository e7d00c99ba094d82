package fathom.loss;

import fathom.Tensor;
import fathom.Traced;
import java.util.Arrays;

/// A measure of the distance between a net's outputs and their targets: a mean over the examples of
/// the whole batch over all workers. The loss and gradients of a worker are its share, so that
/// their sums over the workers are those of the batch; [fathom.parallel.Step#total] tells how many
/// examples the batch has.
@FunctionalInterface
public interface Loss {
  /// Returns the loss of N×... `y` against the targets of its N rows, as a tensor without
  /// dimensions, with the pullback to `y`.
  Traced of(Tensor y, float[][] targets);

  /// Whether targets are classes and the net outputs a logit for each class. Wrong answers are then
  /// counted too.
  default boolean classifies() {
    return false;
  }

  /// Half of the mean over the examples of Σ (y − target)²; see [SquaredError].
  Loss SQUARED_ERROR = SquaredError::of;

  /// The cross-entropy of the class that each target names; see [CrossEntropy].
  Loss CROSS_ENTROPY =
      new Loss() {
        @Override
        public Traced of(Tensor y, float[][] targets) {
          return CrossEntropy.of(y, labels(targets));
        }

        @Override
        public boolean classifies() {
          return true;
        }
      };

  /// Returns the number of rows of N×K logits whose largest element is not at the class that the
  /// target names. Throws `IllegalArgumentException` if a target is not one whole number.
  static int errors(Tensor scores, float[][] targets) {
    return CrossEntropy.errors(scores, labels(targets));
  }

  private static int[] labels(float[][] targets) {
    int[] labels = new int[targets.length];
    for (int i = 0; i < labels.length; i++) {
      float target = targets[i].length == 1 ? targets[i][0] : Float.NaN;
      if (target != Math.rint(target)) {
        throw new IllegalArgumentException(
            "the target of a classifier is the number of a class alone, but target %s is %s"
                .formatted(i, Arrays.toString(targets[i])));
      }
      labels[i] = (int) target;
    }
    return labels;
  }
}
