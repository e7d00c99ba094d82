package fathom.loss;

import fathom.Tensor;
import fathom.Traced;
import java.util.Arrays;

/// How far what a net gives is from what it should give: a mean over the examples of the whole
/// batch, over all workers. A worker's value and gradients are its share of it, so that sums over
/// the workers are the batch's; [fathom.parallel.Step#total] says how many examples that is.
@FunctionalInterface
public interface Loss {
  /// The loss of N×... `y` against the targets of its N rows, without dimensions, and the way back
  /// to `y`.
  Traced of(Tensor y, float[][] targets);

  /// Whether targets are classes, of which the net gives a score each: then wrong answers are
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

  /// How many rows of N×K scores are largest elsewhere than at the class that their target names.
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
