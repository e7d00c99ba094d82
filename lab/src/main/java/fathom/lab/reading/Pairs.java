package fathom.lab.reading;

import fathom.RandomKey;
import java.util.Arrays;

/// Pairs of synsets, of which the first are in order and the others are not. Pair i says that the
/// point `specific[i]` is a kind of the point `general[i]`; a point is a position in `synsets`.
///
/// @param synsets what is to be read, each hyponym and then each hypernym
/// @param held how many pairs hold
record Pairs(int[] synsets, int[] specific, int[] general, int held) {
  /// One pair of each of these hyponyms with one of all that is above it, which is drawn, and every
  /// corrupted pair of a hyponym and a hypernym of two of them. So it is not known by how general
  /// or how long a phrase is whether a pair is corrupted; those that hold by chance are left out.
  ///
  /// @param hyponyms none without an ancestor
  static Pairs all(Hypernymy order, int[] hyponyms, RandomKey draw) {
    int n = hyponyms.length;
    int[] synsets = drawn(order, hyponyms, draw);
    int[] specific = new int[n * n];
    int[] general = new int[n * n];
    int count = n;
    for (int i = 0; i < n; i++) {
      specific[i] = i;
      general[i] = n + i;
      for (int j = 0; j < n; j++) {
        if (i != j && corrupted(order, synsets[i], synsets[n + j])) {
          specific[count] = i;
          general[count++] = n + j;
        }
      }
    }
    return new Pairs(synsets, Arrays.copyOf(specific, count), Arrays.copyOf(general, count), n);
  }

  /// The same with one corrupted pair for each true one: the hyponym with the hypernym of another,
  /// or the other way round. One that holds by chance is drawn again, and left out if there is no
  /// other.
  static Pairs each(Hypernymy order, int[] hyponyms, RandomKey draw) {
    int n = hyponyms.length;
    int[] synsets = drawn(order, hyponyms, draw);
    int[] specific = new int[2 * n];
    int[] general = new int[2 * n];
    int count = n;
    for (int i = 0; i < n; i++) {
      specific[i] = i;
      general[i] = n + i;
      boolean otherHyponym = draw.at(i).below(1, 2) == 0;
      int first = draw.at(i).below(2, n);
      for (int k = 0; k < n; k++) {
        int j = (first + k) % n;
        int x = otherHyponym ? j : i;
        int y = n + (otherHyponym ? i : j);
        if (corrupted(order, synsets[x], synsets[y])) {
          specific[count] = x;
          general[count++] = y;
          break;
        }
      }
    }
    return new Pairs(synsets, Arrays.copyOf(specific, count), Arrays.copyOf(general, count), n);
  }

  private static int[] drawn(Hypernymy order, int[] hyponyms, RandomKey draw) {
    int n = hyponyms.length;
    int[] synsets = Arrays.copyOf(hyponyms, 2 * n);
    for (int i = 0; i < n; i++) {
      int[] above = order.ancestors(hyponyms[i]);
      synsets[n + i] = above[draw.at(i).below(0, above.length)];
    }
    return synsets;
  }

  private static boolean corrupted(Hypernymy order, int specific, int general) {
    return specific != general && !order.holds(specific, general);
  }

  /// How many pairs are told apart by E at most `threshold`, in percent.
  double accuracy(double[] penalties, double threshold) {
    int right = 0;
    for (int i = 0; i < penalties.length; i++) {
      right += (penalties[i] <= threshold) == (i < held) ? 1 : 0;
    }
    return 100.0 * right / penalties.length;
  }

  /// The threshold with the best accuracy, the smallest of equals; it is one of the penalties, or
  /// below all.
  double threshold(double[] penalties) {
    Integer[] order = new Integer[penalties.length];
    Arrays.setAll(order, i -> i);
    Arrays.sort(order, (a, b) -> Double.compare(penalties[a], penalties[b]));
    int right = penalties.length - held; // all are taken for corrupted
    int best = right;
    double threshold = -1;
    for (int k = 0; k < order.length; k++) {
      right += order[k] < held ? 1 : -1;
      boolean last = k + 1 == order.length || penalties[order[k + 1]] > penalties[order[k]];
      if (last && right > best) {
        best = right;
        threshold = penalties[order[k]];
      }
    }
    return threshold;
  }
}
