package fathom.kernel;

import static fathom.kernel.PackedMatrix.broadcast;
import static fathom.kernel.PackedMatrix.load;
import static fathom.kernel.PackedMatrix.store;

import jdk.incubator.vector.FloatVector;

/// The innermost product of [PatchFilters]: some rows of x by one panel of a matrix in the order of
/// [PackedMatrix], added to sums. A deep product is a few of these, so that each panel lies in the
/// nearest cache while all rows pass it.
///
/// Sixteen registers, those of AVX2, hold eight sums. With AVX-512 there are 32, and sixteen sums
/// need fewer loads for each product. The loops have the form that the compiler keeps in registers
/// whatever ran before (docs/design/kernels.md): one variable that runs, two steps at a time where
/// registers are few, and no branch for an odd last step.
final class PanelProduct {
  private static final int L = PackedMatrix.lanes();
  private static final int ROWS = PackedMatrix.ROWS;

  /// Whether vectors are those of AVX-512, which come with 32 registers.
  static final boolean MANY_REGISTERS = L >= 16;

  private PanelProduct() {}

  /// Adds the product of n×depth, whose rows are `apart` elements apart from `xAt` on, and a panel
  /// of `width` columns to `sums`, n×width, from `sumsAt` on. `depth` is even, and `width` is one
  /// vector or two. Both x and sums have room for a whole multiple of four rows; what the rows
  /// beyond `n` become is never read.
  static void add(
      float[] x,
      int xAt,
      int n,
      int apart,
      int depth,
      float[] panel,
      int width,
      float[] sums,
      int sumsAt) {
    if (width == L) {
      narrow(x, xAt, n, apart, depth, panel, sums, sumsAt);
      return;
    }
    int inEights = MANY_REGISTERS ? n / (2 * ROWS) * (2 * ROWS) : 0;
    // A loop that is called in vain is compiled for that.
    if (inEights > 0) {
      eights(x, xAt, inEights, apart, depth, panel, sums, sumsAt);
    }
    if (inEights < n) {
      fours(x, xAt, inEights, n, apart, depth, panel, sums, sumsAt);
    }
  }

  private static void eights(
      float[] x, int xAt, int n, int apart, int depth, float[] m, float[] sums, int sumsAt) {
    int apart2 = 2 * apart;
    int apart3 = 3 * apart;
    int apart4 = 4 * apart;
    int apart5 = 5 * apart;
    int apart6 = 6 * apart;
    int apart7 = 7 * apart;
    for (int i = 0; i < n; i += 2 * ROWS) {
      int at = sumsAt + 2 * L * i;
      FloatVector a0 = load(sums, at);
      FloatVector a1 = load(sums, at + L);
      FloatVector b0 = load(sums, at + 2 * L);
      FloatVector b1 = load(sums, at + 3 * L);
      FloatVector c0 = load(sums, at + 4 * L);
      FloatVector c1 = load(sums, at + 5 * L);
      FloatVector d0 = load(sums, at + 6 * L);
      FloatVector d1 = load(sums, at + 7 * L);
      FloatVector e0 = load(sums, at + 8 * L);
      FloatVector e1 = load(sums, at + 9 * L);
      FloatVector f0 = load(sums, at + 10 * L);
      FloatVector f1 = load(sums, at + 11 * L);
      FloatVector g0 = load(sums, at + 12 * L);
      FloatVector g1 = load(sums, at + 13 * L);
      FloatVector h0 = load(sums, at + 14 * L);
      FloatVector h1 = load(sums, at + 15 * L);
      int from = xAt + i * apart;
      int end = from + depth;
      int mAt = -2 * L * from;
      for (int k = from; k < end; k++) {
        FloatVector m0 = load(m, mAt + 2 * L * k);
        FloatVector m1 = load(m, mAt + 2 * L * k + L);
        FloatVector v = broadcast(x, k);
        a0 = v.fma(m0, a0);
        a1 = v.fma(m1, a1);
        v = broadcast(x, k + apart);
        b0 = v.fma(m0, b0);
        b1 = v.fma(m1, b1);
        v = broadcast(x, k + apart2);
        c0 = v.fma(m0, c0);
        c1 = v.fma(m1, c1);
        v = broadcast(x, k + apart3);
        d0 = v.fma(m0, d0);
        d1 = v.fma(m1, d1);
        v = broadcast(x, k + apart4);
        e0 = v.fma(m0, e0);
        e1 = v.fma(m1, e1);
        v = broadcast(x, k + apart5);
        f0 = v.fma(m0, f0);
        f1 = v.fma(m1, f1);
        v = broadcast(x, k + apart6);
        g0 = v.fma(m0, g0);
        g1 = v.fma(m1, g1);
        v = broadcast(x, k + apart7);
        h0 = v.fma(m0, h0);
        h1 = v.fma(m1, h1);
      }
      store(a0, a1, sums, at);
      store(b0, b1, sums, at + 2 * L);
      store(c0, c1, sums, at + 4 * L);
      store(d0, d1, sums, at + 6 * L);
      store(e0, e1, sums, at + 8 * L);
      store(f0, f1, sums, at + 10 * L);
      store(g0, g1, sums, at + 12 * L);
      store(h0, h1, sums, at + 14 * L);
    }
  }

  private static void fours(
      float[] x,
      int xAt,
      int first,
      int n,
      int apart,
      int depth,
      float[] m,
      float[] sums,
      int sumsAt) {
    int apart2 = 2 * apart;
    int apart3 = 3 * apart;
    for (int i = first; i < n; i += ROWS) {
      int at = sumsAt + 2 * L * i;
      FloatVector a0 = load(sums, at);
      FloatVector a1 = load(sums, at + L);
      FloatVector b0 = load(sums, at + 2 * L);
      FloatVector b1 = load(sums, at + 3 * L);
      FloatVector c0 = load(sums, at + 4 * L);
      FloatVector c1 = load(sums, at + 5 * L);
      FloatVector d0 = load(sums, at + 6 * L);
      FloatVector d1 = load(sums, at + 7 * L);
      int from = xAt + i * apart;
      int end = from + depth;
      int mAt = -2 * L * from;
      for (int k = from; k < end; k += 2) {
        FloatVector m0 = load(m, mAt + 2 * L * k);
        FloatVector m1 = load(m, mAt + 2 * L * k + L);
        FloatVector v = broadcast(x, k);
        a0 = v.fma(m0, a0);
        a1 = v.fma(m1, a1);
        v = broadcast(x, k + apart);
        b0 = v.fma(m0, b0);
        b1 = v.fma(m1, b1);
        v = broadcast(x, k + apart2);
        c0 = v.fma(m0, c0);
        c1 = v.fma(m1, c1);
        v = broadcast(x, k + apart3);
        d0 = v.fma(m0, d0);
        d1 = v.fma(m1, d1);
        m0 = load(m, mAt + 2 * L * k + 2 * L);
        m1 = load(m, mAt + 2 * L * k + 3 * L);
        v = broadcast(x, k + 1);
        a0 = v.fma(m0, a0);
        a1 = v.fma(m1, a1);
        v = broadcast(x, k + apart + 1);
        b0 = v.fma(m0, b0);
        b1 = v.fma(m1, b1);
        v = broadcast(x, k + apart2 + 1);
        c0 = v.fma(m0, c0);
        c1 = v.fma(m1, c1);
        v = broadcast(x, k + apart3 + 1);
        d0 = v.fma(m0, d0);
        d1 = v.fma(m1, d1);
      }
      store(a0, a1, sums, at);
      store(b0, b1, sums, at + 2 * L);
      store(c0, c1, sums, at + 4 * L);
      store(d0, d1, sums, at + 6 * L);
    }
  }

  private static void narrow(
      float[] x, int xAt, int n, int apart, int depth, float[] m, float[] sums, int sumsAt) {
    int apart2 = 2 * apart;
    int apart3 = 3 * apart;
    for (int i = 0; i < n; i += ROWS) {
      int at = sumsAt + L * i;
      FloatVector a = load(sums, at);
      FloatVector b = load(sums, at + L);
      FloatVector c = load(sums, at + 2 * L);
      FloatVector d = load(sums, at + 3 * L);
      int from = xAt + i * apart;
      int end = from + depth;
      int mAt = -L * from;
      for (int k = from; k < end; k++) {
        FloatVector v = load(m, mAt + L * k);
        a = broadcast(x, k).fma(v, a);
        b = broadcast(x, k + apart).fma(v, b);
        c = broadcast(x, k + apart2).fma(v, c);
        d = broadcast(x, k + apart3).fma(v, d);
      }
      store(a, b, sums, at);
      store(c, d, sums, at + 2 * L);
    }
  }
}
