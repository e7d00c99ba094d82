package fathom.data;

import fathom.RandomKey;
import java.util.Arrays;
import java.util.stream.IntStream;

/// The order of an epoch in which each class is equally likely, whatever the number of its images:
/// as many images as there are, each drawn with replacement. At place i the class is drawn
/// uniformly from those that have images, and then one of its images uniformly. So an image of a
/// small class is seen several times in an epoch, and some of a large class are not seen at all.
///
/// Place i of epoch e is a function of the seed, e and i alone.
///
/// @param seed the run's seed
/// @param labels the class of each image
public record BalancedOrder(long seed, int[] labels) {
  /// Returns the indices of the images in the order of this epoch.
  public int[] of(long epoch) {
    int[][] members = members();
    RandomKey key = RandomKey.of(seed, "balanced").at(epoch);
    int[] order = new int[labels.length];
    for (int i = 0; i < order.length; i++) {
      int[] of = members[key.below(2L * i, members.length)];
      order[i] = of[key.below(2L * i + 1, of.length)];
    }
    return order;
  }

  /// The images of each class that has some.
  private int[][] members() {
    int[] counts = counts(labels, Arrays.stream(labels).max().orElse(-1) + 1);
    int[][] members = new int[counts.length][];
    Arrays.setAll(members, c -> new int[counts[c]]);
    int[] filled = new int[counts.length];
    for (int i = 0; i < labels.length; i++) {
      members[labels[i]][filled[labels[i]]++] = i;
    }
    return Arrays.stream(members).filter(of -> of.length > 0).toArray(int[][]::new);
  }

  /// Returns the number of images of each of the classes 0 to `classes`−1.
  public static int[] counts(int[] labels, int classes) {
    int[] counts = new int[classes];
    IntStream.of(labels).forEach(label -> counts[label]++);
    return counts;
  }
}
