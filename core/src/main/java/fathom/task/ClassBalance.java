package fathom.task;

import java.util.Arrays;
import java.util.List;

/// What a training does about classes of unequal size: it weights them in the loss
/// ([fathom.loss.CrossEntropy]), or draws them equally often ([fathom.data.BalancedOrder]).
/// Evaluations count every image alike.
///
/// @param weights the weight of each class; empty if all count alike
/// @param sampled whether each class is equally likely to be drawn
public record ClassBalance(List<Double> weights, boolean sampled) {
  /// Every image counts alike and is seen once in an epoch.
  public static final ClassBalance NONE = new ClassBalance(List.of(), false);

  public ClassBalance {
    weights = List.copyOf(weights);
  }

  /// Throws `IllegalArgumentException` unless the weights are for this number of classes.
  public void check(int classes) {
    if (!weights.isEmpty() && weights.size() != classes) {
      throw new IllegalArgumentException(
          "`classWeights` has a weight for each class, but there are %s classes and %s weights"
              .formatted(classes, weights.size()));
    }
  }

  /// Returns the weights n/(K·n_c) for n images of K classes, n_c of class c: every class has the
  /// same share of the loss of an epoch, and the mean weight of an image is 1. A class without
  /// images gets 1, because no image is weighted by it; K then counts the others.
  public static List<Double> inverse(int[] counts) {
    long images = Arrays.stream(counts).asLongStream().sum();
    long classes = Arrays.stream(counts).filter(count -> count > 0).count();
    return Arrays.stream(counts)
        .mapToObj(count -> count == 0 ? 1.0 : (double) images / (classes * (double) count))
        .toList();
  }
}
