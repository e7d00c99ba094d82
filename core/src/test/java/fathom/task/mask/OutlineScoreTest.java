package fathom.task.mask;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.RandomKey;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The boundary benchmark by hand, and against a naive implementation that shares no code with it.
class OutlineScoreTest {
  private static final double EXACT = 1e-12;

  private static boolean[] set(String rows) {
    String all = rows.replace("\n", "").replace(" ", "");
    boolean[] set = new boolean[all.length()];
    for (int i = 0; i < set.length; i++) {
      set[i] = all.charAt(i) == '#';
    }
    return set;
  }

  private static int count(boolean[] of) {
    int sum = 0;
    for (boolean each : of) {
      sum += each ? 1 : 0;
    }
    return sum;
  }

  /// A bar of three rows becomes its middle row, one pixel wide; a line stays.
  @Test
  void linesBecomeOnePixelWide() {
    boolean[] bar =
        set(
            """
            .........
            .#######.
            .#######.
            .#######.
            .........
            """);
    boolean[] thin = Thinned.of(bar, 5, 9);
    for (int x = 0; x < 9; x++) {
      assertTrue(!thin[9 + x] && !thin[27 + x], "only the middle row is left");
    }
    assertTrue(count(thin) >= 5 && count(thin) <= 7, "from end to end: " + count(thin));
    assertArrayEquals(thin, Thinned.of(thin, 5, 9), "a line has nothing to lose");
    boolean[] diagonal = set("#...\n.#..\n..#.\n...#\n");
    assertArrayEquals(diagonal, Thinned.of(diagonal, 4, 4));
    assertEquals(0, count(Thinned.of(new boolean[6], 2, 3)));
  }

  /// Thinning never makes a part vanish or two parts of one.
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void thinningKeepsTheParts(long seed) {
    int side = 16;
    RandomKey key = RandomKey.of(seed, "thin");
    boolean[] blots = new boolean[side * side];
    for (int i = 0; i < 9; i++) {
      int top = key.below(3L * i, side - 4);
      int left = key.below(3L * i + 1, side - 4);
      int size = 1 + key.below(3L * i + 2, 4);
      for (int y = top; y < top + size; y++) {
        for (int x = left; x < left + size; x++) {
          blots[y * side + x] = true;
        }
      }
    }
    boolean[] thin = Thinned.of(blots, side, side);
    assertEquals(parts(blots, side), parts(thin, side));
    assertTrue(count(thin) <= count(blots));
  }

  private static int parts(boolean[] of, int side) {
    boolean[] left = of.clone();
    int parts = 0;
    for (int p = 0; p < left.length; p++) {
      if (left[p]) {
        parts++;
        var queue = new ArrayList<Integer>(List.of(p));
        while (!queue.isEmpty()) {
          int at = queue.removeLast();
          left[at] = false;
          for (int y = Math.max(0, at / side - 1); y <= Math.min(side - 1, at / side + 1); y++) {
            for (int x = Math.max(0, at % side - 1); x <= Math.min(side - 1, at % side + 1); x++) {
              if (left[y * side + x]) {
                queue.add(y * side + x);
              }
            }
          }
        }
      }
    }
    return parts;
  }

  /// Two predicted pixels beside one true one: only one is right. Greedy pairs of the nearest would
  /// leave the third of three in a row alone.
  @Test
  void pixelsCorrespondOneToOne() {
    var one = PixelMatching.of(set(".#.#."), set("..#.."), 1, 5, 1);
    assertEquals(1, IntStream.range(0, 5).filter(one::isMatchedInFirst).count());
    assertEquals(1, IntStream.range(0, 5).filter(one::isMatchedInSecond).count());
    var chain = PixelMatching.of(set("#.#.#."), set(".#.#.#"), 1, 6, 1);
    assertEquals(3, IntStream.range(0, 6).filter(chain::isMatchedInFirst).count());
    var far = PixelMatching.of(set("#..\n...\n"), set("...\n.#.\n"), 2, 3, 1.4);
    assertTrue(!far.isMatchedInFirst(0), "√2 is more than 1.4");
  }

  /// An image of 3×4 pixels has a diagonal of 5, of which the tolerance is less than a pixel. At
  /// the thresholds 1/4, 1/2, 3/4 the predictions have 3, 2 and 1 pixels, of which 2, 1, 1 are
  /// among the three that were drawn.
  @Test
  void figuresAreAsByHand() {
    var score = new OutlineScore(3);
    float[] p = {0.9f, 0, 0, 0, 0, 0, 0, 0.6f, 0, 0.3f, 0, 0};
    byte[] drawn = {1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0};
    score.add(p, List.of(drawn), 3, 4);
    // precision and recall: 2/3 2/3, 1/2 1/3, 1 1/3
    assertEquals(2.0 / 3, score.ods(), EXACT);
    assertEquals(2.0 / 3, score.ois(), EXACT);
    double area = 0;
    for (int i = 0; i <= 100; i++) {
      double r = i / 100.0;
      if (r >= 1.0 / 3 && r <= 2.0 / 3) { // from the last of equal recalls, precision 1
        area += (1 + (2.0 / 3 - 1) * (r - 1.0 / 3) * 3) / 100;
      }
    }
    assertEquals(area, score.averagePrecision(), EXACT);
  }

  /// What two people drew counts twice for recall, and what either of them drew is right.
  @Test
  void twoPeopleAsByHand() {
    var score = new OutlineScore(1);
    float[] p = {1, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0};
    byte[] drawn = {1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0};
    byte[] other = {0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0};
    score.add(p, List.of(drawn, other), 3, 4);
    double recall = 4.0 / 5;
    assertEquals(2 * recall / (1 + recall), score.ods(), EXACT); // all three are somebody's
    assertEquals(2 * recall / (1 + recall), score.ois(), EXACT);
    assertEquals(0, score.averagePrecision(), "one threshold is no curve");
  }

  @Test
  void whatDoesNotFitIsRefused() {
    var score = new OutlineScore(1);
    assertThrows(IllegalArgumentException.class, () -> new OutlineScore(0));
    assertThrows(IllegalArgumentException.class, () -> score.add(new float[4], List.of(), 2, 2));
    assertThrows(
        IllegalArgumentException.class, () -> score.add(new float[4], List.of(new byte[3]), 2, 2));
    score.add(new float[4], List.of(new byte[4]), 2, 2);
    assertEquals(0, score.ods());
    assertEquals(0, score.ois());
    assertEquals(0, score.averagePrecision());
  }

  /// Images of random lines, predicted with noise; all figures as the naive implementation has
  /// them. 160 pixels have a tolerance of 1.7.
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void aNaiveImplementationSaysTheSame(long seed) {
    int side = 160;
    var score = new OutlineScore(5);
    var naive = new Naive(5);
    for (int image = 0; image < 3; image++) {
      RandomKey key = RandomKey.of(seed, "benchmark").at(image);
      var drawn = List.of(new byte[side * side]);
      float[] p = new float[side * side];
      for (int line = 0; line < 4; line++) {
        int y = 10 + key.below(line, 140);
        for (int x = 20; x < 60; x++) {
          drawn.get(0)[y * side + x] = 1;
          int beside = key.below(100L * line + x, 5) - 2;
          p[(y + beside) * side + x] = (float) key.uniform(1000L * line + x);
        }
      }
      score.add(p, drawn, side, side);
      naive.add(p, drawn, side);
    }
    assertTrue(score.ods() > 0.1 && score.ods() < 0.95, "these say something: " + score.ods());
    assertEquals(naive.ods(), score.ods(), EXACT);
    assertEquals(naive.ois(), score.ois(), EXACT);
    assertEquals(naive.area(), score.averagePrecision(), EXACT);
  }

  /// The definition, slowly: sets of places, an augmenting path for each pixel by trying all
  /// (Kuhn), figures of lists. It thins with [Thinned], which has tests of its own.
  private static final class Naive {
    private final int n;
    private final List<List<double[]>> images = new ArrayList<>();

    Naive(int n) {
      this.n = n;
    }

    void add(float[] p, List<byte[]> drawn, int side) {
      var all = new ArrayList<double[]>();
      for (int t = 1; t <= n; t++) {
        boolean[] above = new boolean[p.length];
        for (int i = 0; i < p.length; i++) {
          above[i] = p[i] >= t / (n + 1.0);
        }
        boolean[] thin = Thinned.of(above, side, side);
        var predicted = new ArrayList<Integer>();
        IntStream.range(0, thin.length).filter(i -> thin[i]).forEach(predicted::add);
        Set<Integer> right = new HashSet<>();
        double found = 0;
        double truths = 0;
        for (byte[] each : drawn) {
          var truth = new ArrayList<Integer>();
          IntStream.range(0, each.length).filter(i -> each[i] == 1).forEach(truth::add);
          var pairs = new TreeMap<Integer, Integer>(); // from a true pixel to a predicted one
          for (int from : predicted) {
            path(from, truth, side, pairs, new HashSet<>());
          }
          found += pairs.size();
          truths += truth.size();
          right.addAll(pairs.values());
        }
        all.add(new double[] {right.size(), predicted.size(), found, truths});
      }
      images.add(all);
    }

    private static boolean path(
        int from, List<Integer> truth, int side, Map<Integer, Integer> pairs, Set<Integer> tried) {
      for (int to : truth) {
        double apart = Math.hypot(from / side - to / side, from % side - to % side);
        if (apart <= 0.0075 * side * Math.sqrt(2) && tried.add(to)) {
          Integer holder = pairs.get(to);
          if (holder == null || path(holder, truth, side, pairs, tried)) {
            pairs.put(to, from);
            return true;
          }
        }
      }
      return false;
    }

    private static double[] sums(List<double[]> counts) {
      double[] sums = new double[4];
      counts.forEach(c -> IntStream.range(0, 4).forEach(i -> sums[i] += c[i]));
      return sums;
    }

    private static double f(double p, double r) {
      return p + r == 0 ? 0 : 2 * p * r / (p + r);
    }

    private static double f(double[] c) {
      return f(c[0] / Math.max(1, c[1]), c[2] / Math.max(1, c[3]));
    }

    private List<double[]> curve() {
      return IntStream.range(0, n)
          .mapToObj(t -> sums(images.stream().map(image -> image.get(t)).toList()))
          .map(c -> new double[] {c[0] / Math.max(1, c[1]), c[2] / Math.max(1, c[3])})
          .toList();
    }

    double ods() {
      var curve = curve();
      double best = 0;
      for (int t = 1; t < n; t++) {
        for (int s = 0; s < 100; s++) {
          double d = s / 99.0;
          double p = curve.get(t)[0] * d + curve.get(t - 1)[0] * (1 - d);
          double r = curve.get(t)[1] * d + curve.get(t - 1)[1] * (1 - d);
          best = Math.max(best, f(p, r));
        }
      }
      return best;
    }

    double ois() {
      return f(
          sums(
              images.stream()
                  .map(image ->
                      image.stream()
                          .reduce((a, b) -> f(b) > f(a) ? b : a) // of equals the first
                          .orElseThrow())
                  .toList()));
    }

    double area() {
      var byRecall = new TreeMap<Double, Double>();
      curve().forEach(c -> byRecall.put(c[1], c[0]));
      double sum = 0;
      for (int i = 0; i <= 100; i++) {
        double r = i / 100.0;
        var low = byRecall.floorEntry(r);
        var high = byRecall.ceilingEntry(r);
        if (low != null && high != null) {
          double width = high.getKey() - low.getKey();
          double share = width == 0 ? 0 : (r - low.getKey()) / width;
          sum += low.getValue() + share * (high.getValue() - low.getValue());
        }
      }
      return sum / 100;
    }
  }
}
