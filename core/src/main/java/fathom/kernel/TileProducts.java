package fathom.kernel;

import static fathom.kernel.PackedMatrix.broadcast;
import static fathom.kernel.PackedMatrix.load;
import static fathom.kernel.PackedMatrix.store;

import jdk.incubator.vector.FloatVector;

/// The matrix products of [Winograd]'s weight gradient: sums over tiles.
final class TileProducts {
  private static final int L = PackedMatrix.lanes();

  private TileProducts() {}

  /// Multiplies four columns of `a`, transposed, by two vectors of columns of `b` and adds the
  /// products to four rows of a panel of sums. Both matrices lie by channel
  /// ([Winograd.Layout#byChannel]) and have `rows` rows.
  static void add(
      float[] a, int column, float[] b, int b0, int b1, int rows, float[] sums, int at) {
    FloatVector s00 = load(sums, at);
    FloatVector s01 = load(sums, at + L);
    FloatVector s10 = load(sums, at + 2 * L);
    FloatVector s11 = load(sums, at + 3 * L);
    FloatVector s20 = load(sums, at + 4 * L);
    FloatVector s21 = load(sums, at + 5 * L);
    FloatVector s30 = load(sums, at + 6 * L);
    FloatVector s31 = load(sums, at + 7 * L);
    for (int r = 0; r < rows; r++) {
      FloatVector m0 = load(b, b0 + L * r);
      FloatVector m1 = load(b, b1 + L * r);
      FloatVector v = broadcast(a, column + L * r);
      s00 = v.fma(m0, s00);
      s01 = v.fma(m1, s01);
      v = broadcast(a, column + L * r + 1);
      s10 = v.fma(m0, s10);
      s11 = v.fma(m1, s11);
      v = broadcast(a, column + L * r + 2);
      s20 = v.fma(m0, s20);
      s21 = v.fma(m1, s21);
      v = broadcast(a, column + L * r + 3);
      s30 = v.fma(m0, s30);
      s31 = v.fma(m1, s31);
    }
    store(s00, s01, sums, at);
    store(s10, s11, sums, at + 2 * L);
    store(s20, s21, sums, at + 4 * L);
    store(s30, s31, sums, at + 6 * L);
  }

  /// Does the work of [#add] for a single vector of columns of `b`.
  static void addNarrow(float[] a, int column, float[] b, int b0, int rows, float[] sums, int at) {
    FloatVector s0 = load(sums, at);
    FloatVector s1 = load(sums, at + L);
    FloatVector s2 = load(sums, at + 2 * L);
    FloatVector s3 = load(sums, at + 3 * L);
    for (int r = 0; r < rows; r++) {
      FloatVector v = load(b, b0 + L * r);
      s0 = broadcast(a, column + L * r).fma(v, s0);
      s1 = broadcast(a, column + L * r + 1).fma(v, s1);
      s2 = broadcast(a, column + L * r + 2).fma(v, s2);
      s3 = broadcast(a, column + L * r + 3).fma(v, s3);
    }
    s0.intoArray(sums, at);
    s1.intoArray(sums, at + L);
    s2.intoArray(sums, at + 2 * L);
    s3.intoArray(sums, at + 3 * L);
  }
}
