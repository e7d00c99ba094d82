package fathom.kernel;

import static fathom.kernel.FourRows.L;
import static fathom.kernel.FourRows.S;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/// Some neighbouring rows of float32 that [NarrowRowNorm] and [NarrowRowNormBack] process together,
/// with a few coefficients for each row.
///
/// Each pass over a block is one method with the loop over the rows in it, so that what a call
/// costs is divided among the rows. A pass that reads memory first walks one row after the other,
/// as the processor's prefetcher expects it. A pass over rows that lie in the cache may walk down
/// the rows, a few vectors wide, so that what belongs to a column stays in registers.
final class RowBlock {
  /// The widest rows for which a block is faster than four rows of different parts of a matrix side
  /// by side, measured (docs/speed-log.md).
  static final int WIDEST = 1023;

  /// The most rows of a block.
  private static final int MOST = 32;

  private static final int FOUR = 4;

  /// A block of rows has at most this many elements, 32 KB, so that the operands of a pass lie in
  /// the second-level cache, and nearly in the first.
  private static final int ELEMENTS = 8192;

  /// The index of each row in its matrix.
  final long[] rows;

  /// The coefficients m, r and c of `x̂ = (s − m)·r + c` of each row.
  final float[] mean;

  final float[] reciprocal;
  final float[] lost;

  /// Two sums of each row in float64. Until [#total] they stand in `lanes`, lane by lane, first
  /// those of one kind for all rows and then those of the other.
  final double[] first;

  final double[] second;
  final float[] lanes;
  private final int most;
  private int count;

  /// Makes room for a block of rows of this width.
  RowBlock(int width) {
    this.most = most(width);
    this.rows = new long[most];
    this.mean = new float[most];
    this.reciprocal = new float[most];
    this.lost = new float[most];
    this.first = new double[most];
    this.second = new double[most];
    this.lanes = new float[2 * most * L];
  }

  /// The number of rows of a block, a multiple of four.
  private static int most(int width) {
    return Math.clamp((long) (ELEMENTS / width / FOUR) * FOUR, FOUR, MOST);
  }

  int most() {
    return most;
  }

  int count() {
    return count;
  }

  void clear() {
    count = 0;
  }

  /// Adds a row with this mean and reciprocal standard deviation.
  void add(long row, double rowMean, double rowReciprocal) {
    rows[count] = row;
    mean[count] = (float) rowMean;
    reciprocal[count] = (float) rowReciprocal;
    lost[count] = FourRows.lost(rowMean, rowReciprocal);
    count++;
  }

  /// Fills the places up to the next multiple of four with a row of the last four, for a pass over
  /// four rows side by side, which then writes that row's result again.
  void fill() {
    int from = (count - 1) / FOUR * FOUR;
    for (int i = count; i % FOUR != 0; i++) {
      rows[i] = rows[from];
      mean[i] = mean[from];
      reciprocal[i] = reciprocal[from];
      lost[i] = lost[from];
    }
  }

  void clearSums() {
    Arrays.fill(first, 0);
    Arrays.fill(second, 0);
  }

  /// Adds the lanes of the first `n` rows to their sums. This is a method of its own, because the
  /// compiler inlines only up to a limit, beyond which it makes an object of every vector.
  void total(int n) {
    total(lanes, 0, first, n);
    total(lanes, most * L, second, n);
  }

  private static void total(float[] lanes, int from, double[] sums, int n) {
    for (int i = 0; i < n; i++) {
      sums[i] += Lanes.total(FloatVector.fromArray(S, lanes, from + i * L));
    }
  }
}
