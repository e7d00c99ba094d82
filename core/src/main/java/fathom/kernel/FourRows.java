package fathom.kernel;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// Four rows of float32 that [VectorRowNorm] walks side by side, and the numbers of each. Where
/// there are fewer, the first stands for those that are missing: its result is written again, and
/// its share of a sum is weighted with 0.
final class FourRows {
  static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  static final int L = S.length();

  /// Rows side by side.
  static final int FOUR = 4;

  /// Elements of a row whose sum runs in float32.
  static final int BLOCK = 2048;

  /// Fewer elements than this are not worth waking another core.
  private static final int ELEMENTS_PER_PART = 32_768;

  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  final long[] rows = new long[FOUR];
  final float[] weights = new float[FOUR];
  final float[] numbers;
  private final int each;
  private int count;

  /// Of rows with so many numbers each, of which the first are those of [#add].
  FourRows(int each) {
    this.each = each;
    this.numbers = new float[each * FOUR];
  }

  void clear() {
    count = 0;
  }

  boolean isEmpty() {
    return count == 0;
  }

  /// Of `x̂ = (s − m)·r + c` in a row with this mean and reciprocal standard deviation: m, r and c.
  void add(long row, double mean, double reciprocal) {
    rows[count] = row;
    weights[count] = 1;
    numbers[count * each] = (float) mean;
    numbers[count * each + 1] = (float) reciprocal;
    numbers[count * each + 2] = lost(mean, reciprocal);
    count++;
  }

  void fill() {
    for (int i = count; i < FOUR; i++) {
      rows[i] = rows[0];
      weights[i] = 0;
      System.arraycopy(numbers, 0, numbers, i * each, each);
    }
  }

  /// What rounding the mean to float32 takes off x̂: beside a standard deviation of 1, a mean of
  /// 10,000 moves by up to 0.0005.
  static float lost(double mean, double reciprocal) {
    return (float) (((float) mean - mean) * reciprocal);
  }

  /// Rows that are a core's work at least.
  static long perPart(int width) {
    return Math.ceilDiv(ELEMENTS_PER_PART, width);
  }

  /// The rows of a quarter: four strips are walked side by side, each from its first row to its
  /// last. Rows that follow one another would share pages of memory, and a processor that fetches
  /// ahead follows one walk through a page. An odd number keeps short rows out of each other's
  /// cache lines.
  static long strip(long rows) {
    return Math.ceilDiv(rows, FOUR) | 1;
  }

  /// The two sums of a row, lane by lane. They are added up elsewhere: what the compiler takes as
  /// one piece has a limit, beyond which it makes an object of every vector.
  static void keep(float[] lanes, int row, FloatVector s, FloatVector q) {
    s.intoArray(lanes, 2 * row * L);
    q.intoArray(lanes, (2 * row + 1) * L);
  }

  static void total(float[] lanes, double[] sums) {
    for (int i = 0; i < sums.length; i++) {
      sums[i] += Lanes.total(FloatVector.fromArray(S, lanes, i * L));
    }
  }

  static FloatVector load(MemorySegment memory, long at) {
    return FloatVector.fromMemorySegment(S, memory, at << 2, ORDER);
  }

  static void store(FloatVector v, MemorySegment memory, long at) {
    v.intoMemorySegment(memory, at << 2, ORDER);
  }

  /// For the specification, which takes the rows that float32 cannot hold.
  static double[] doubles(float[] elements) {
    double[] wide = new double[elements.length];
    Arrays.setAll(wide, i -> elements[i]);
    return wide;
  }
}
