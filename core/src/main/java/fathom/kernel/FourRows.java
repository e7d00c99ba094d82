package fathom.kernel;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// Four rows of float32 that [VectorRowNorm] and [VectorRowNormBack] process side by side, with a
/// few coefficients for each row. If there are fewer than four rows, the first row takes the
/// missing places: its result is written again, and its share of a sum has weight 0.
final class FourRows {
  static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  static final int L = S.length();

  /// The number of rows that are processed side by side.
  static final int FOUR = 4;

  /// The most elements of a row that are summed in float32.
  static final int BLOCK = 2048;

  /// A part with fewer elements than this is not worth waking another core.
  private static final int ELEMENTS_PER_PART = 32_768;

  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  final long[] rows = new long[FOUR];
  final float[] weights = new float[FOUR];
  final float[] numbers;
  private final int each;
  private int count;

  /// Makes room for four rows with `each` coefficients per row, of which [#add] sets the first
  /// three.
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

  /// Adds a row with this mean and reciprocal standard deviation. Its first three coefficients
  /// become m, r and c of `x̂ = (s − m)·r + c`.
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

  /// The error of x̂ that comes from rounding the mean to float32. With a standard deviation of 1,
  /// rounding a mean of 10,000 moves it by up to 0.0005.
  static float lost(double mean, double reciprocal) {
    return (float) (((float) mean - mean) * reciprocal);
  }

  /// The least number of rows of this width that are worth a core of their own.
  static long perPart(int width) {
    return Math.ceilDiv(ELEMENTS_PER_PART, width);
  }

  /// The length of one of the four strips of rows that are walked side by side, each from its first
  /// row to its last. Four neighbouring rows would share pages of memory, and the processor's
  /// prefetcher follows one walk through a page. The length is odd, which keeps the short rows of
  /// different strips out of each other's cache lines.
  static long strip(long rows) {
    return Math.ceilDiv(rows, FOUR) | 1;
  }

  /// Stores the two sums of a row, lane by lane. [#total] adds the lanes up in another method,
  /// because the compiler inlines only up to a limit, beyond which it makes an object of every
  /// vector.
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

  /// Converts a row to float64 for the specification, which computes the rows that exceed float32.
  static double[] doubles(float[] elements) {
    double[] wide = new double[elements.length];
    Arrays.setAll(wide, i -> elements[i]);
    return wide;
  }
}
