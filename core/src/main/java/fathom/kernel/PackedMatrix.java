package fathom.kernel;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// A K×C matrix of float32 that many small N×K matrices are multiplied by, as a recurrent layer
/// does at every step. It is copied once into the order in which the product reads it: panels of
/// three vectors of columns, each from its first row to its last.
///
/// A product takes four rows at a time. Its twelve sums, three vectors of the panel and one
/// broadcast fill the sixteen registers of AVX2. A library's product copies the matrix at every
/// call, which for 32 rows costs as much as the product itself (docs/speed-log.md).
public final class PackedMatrix {
  private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  private static final int L = S.length();
  private static final int WIDE = 3;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  private final int rows;
  private final int columns;
  private final MemorySegment packed;

  private PackedMatrix(int rows, int columns, MemorySegment packed) {
    this.rows = rows;
    this.columns = columns;
    this.packed = packed;
  }

  /// The number of columns is a multiple of this.
  public static int lanes() {
    return L;
  }

  /// Copies `matrix` into `memory`, which has room for as many elements and outlives this. Element
  /// (k, c) stands at `k·rowStride + c·columnStride`: the strides decide whether it is the matrix
  /// or its transpose that is multiplied by.
  public static PackedMatrix of(
      MemorySegment matrix,
      int rows,
      int columns,
      long rowStride,
      long columnStride,
      MemorySegment memory) {
    if (columns % L != 0 || memory.byteSize() != 4L * rows * columns) {
      throw new IllegalArgumentException(
          "a packed matrix has a multiple of %d columns and room for them, but has %d×%d elements in %d bytes"
              .formatted(L, rows, columns, memory.byteSize()));
    }
    long to = 0;
    for (int c = 0; c < columns; ) {
      int width = panel(columns - c);
      for (int k = 0; k < rows; k++) {
        for (int j = 0; j < width; j++) {
          memory.setAtIndex(
              JAVA_FLOAT,
              to++,
              matrix.getAtIndex(JAVA_FLOAT, k * rowStride + (c + j) * columnStride));
        }
      }
      c += width;
    }
    return new PackedMatrix(rows, columns, memory);
  }

  private static int panel(int left) {
    return left >= WIDE * L ? WIDE * L : L;
  }

  /// y = x · matrix for `n` rows of x, which start at element `xAt`, into y from element `yAt` on.
  public void times(MemorySegment x, long xAt, int n, MemorySegment y, long yAt) {
    long from = 0;
    for (int c = 0; c < columns; ) {
      int width = panel(columns - c);
      for (int row = 0; row < n; row += 4) {
        if (width == L) {
          narrow(x, xAt, row, n, from, y, yAt + c);
        } else {
          wide(x, xAt, row, n, from, y, yAt + c);
        }
      }
      from += (long) rows * width;
      c += width;
    }
  }

  /// Rows r0 to r0 + 3 by the three vectors of columns of a panel.
  private void wide(
      MemorySegment x, long xAt, long r0, int n, long panel, MemorySegment y, long yAt) {
    long r1 = orLast(r0 + 1, n);
    long r2 = orLast(r0 + 2, n);
    long r3 = orLast(r0 + 3, n);
    long x0 = xAt + r0 * rows;
    long x1 = xAt + r1 * rows;
    long x2 = xAt + r2 * rows;
    long x3 = xAt + r3 * rows;
    MemorySegment m = packed;
    FloatVector zero = FloatVector.zero(S);
    FloatVector a0 = zero;
    FloatVector a1 = zero;
    FloatVector a2 = zero;
    FloatVector b0 = zero;
    FloatVector b1 = zero;
    FloatVector b2 = zero;
    FloatVector c0 = zero;
    FloatVector c1 = zero;
    FloatVector c2 = zero;
    FloatVector d0 = zero;
    FloatVector d1 = zero;
    FloatVector d2 = zero;
    int depth = rows;
    for (int k = 0; k < depth; k++) {
      long at = panel + (long) k * WIDE * L;
      FloatVector m0 = load(m, at);
      FloatVector m1 = load(m, at + L);
      FloatVector m2 = load(m, at + 2L * L);
      FloatVector v = broadcast(x, x0 + k);
      a0 = v.fma(m0, a0);
      a1 = v.fma(m1, a1);
      a2 = v.fma(m2, a2);
      v = broadcast(x, x1 + k);
      b0 = v.fma(m0, b0);
      b1 = v.fma(m1, b1);
      b2 = v.fma(m2, b2);
      v = broadcast(x, x2 + k);
      c0 = v.fma(m0, c0);
      c1 = v.fma(m1, c1);
      c2 = v.fma(m2, c2);
      v = broadcast(x, x3 + k);
      d0 = v.fma(m0, d0);
      d1 = v.fma(m1, d1);
      d2 = v.fma(m2, d2);
    }
    store(a0, a1, a2, y, yAt + r0 * columns);
    store(b0, b1, b2, y, yAt + r1 * columns);
    store(c0, c1, c2, y, yAt + r2 * columns);
    store(d0, d1, d2, y, yAt + r3 * columns);
  }

  /// Likewise by a single vector of columns.
  private void narrow(
      MemorySegment x, long xAt, long r0, int n, long panel, MemorySegment y, long yAt) {
    long r1 = orLast(r0 + 1, n);
    long r2 = orLast(r0 + 2, n);
    long r3 = orLast(r0 + 3, n);
    long x0 = xAt + r0 * rows;
    long x1 = xAt + r1 * rows;
    long x2 = xAt + r2 * rows;
    long x3 = xAt + r3 * rows;
    MemorySegment m = packed;
    FloatVector a = FloatVector.zero(S);
    FloatVector b = a;
    FloatVector c = a;
    FloatVector d = a;
    int depth = rows;
    for (int k = 0; k < depth; k++) {
      FloatVector v = load(m, panel + (long) k * L);
      a = broadcast(x, x0 + k).fma(v, a);
      b = broadcast(x, x1 + k).fma(v, b);
      c = broadcast(x, x2 + k).fma(v, c);
      d = broadcast(x, x3 + k).fma(v, d);
    }
    store(a, y, yAt + r0 * columns);
    store(b, y, yAt + r1 * columns);
    store(c, y, yAt + r2 * columns);
    store(d, y, yAt + r3 * columns);
  }

  /// Where fewer than four rows are left, the last one is taken again and written again.
  private static long orLast(long row, int n) {
    return Math.min(row, n - 1);
  }

  private static FloatVector load(MemorySegment memory, long at) {
    return FloatVector.fromMemorySegment(S, memory, at << 2, ORDER);
  }

  private static FloatVector broadcast(MemorySegment memory, long at) {
    return FloatVector.broadcast(S, memory.getAtIndex(JAVA_FLOAT, at));
  }

  private static void store(
      FloatVector v0, FloatVector v1, FloatVector v2, MemorySegment memory, long at) {
    store(v0, memory, at);
    store(v1, memory, at + L);
    store(v2, memory, at + 2L * L);
  }

  private static void store(FloatVector v, MemorySegment memory, long at) {
    v.intoMemorySegment(memory, at << 2, ORDER);
  }
}
