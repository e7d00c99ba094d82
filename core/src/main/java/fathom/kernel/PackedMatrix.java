package fathom.kernel;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// A K×C matrix of float32 by which many small N×K matrices are multiplied, as in a recurrent layer
/// at every step. The matrix is copied once into the order in which the product reads it: panels of
/// two vectors of columns, each from its first row to its last, and a panel of a single vector at
/// the end where the number of vectors is odd. A library's product copies the matrix at every call,
/// which for 32 rows costs as much as the product itself (docs/speed-log.md).
///
/// A product takes four rows at a time. Its eight sums, the two vectors of a row of the panel and
/// four broadcasts fit the sixteen registers of AVX2 in whatever order the compiler schedules them;
/// with more sums it keeps some in memory and waits for them. All operands are in arrays, at
/// distances that the compiler knows, because otherwise it checks bounds at every step.
///
/// An instance has buffers of its own, so only one thread at a time may use it.
public final class PackedMatrix {
  private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  private static final int L = S.length();

  /// The number of rows that a product takes at a time.
  static final int ROWS = 4;

  /// The number of multiply-adds that is worth a core of its own, about ten microseconds.
  static final long LEAST_WORK = 1 << 17;

  /// The number of rows that are copied into arrays at a time, a multiple of four.
  private static final int AT_ONCE = 64;

  private final int rows;
  private final int columns;
  private final float[] packed;
  private final float[] x;
  private final float[] y;

  private PackedMatrix(int rows, int columns, float[] packed) {
    this.rows = rows;
    this.columns = columns;
    this.packed = packed;
    x = new float[AT_ONCE * rows];
    y = new float[AT_ONCE * columns];
  }

  /// Returns the number of lanes of a vector. The number of columns of a packed matrix must be a
  /// multiple of it.
  public static int lanes() {
    return L;
  }

  /// Copies the matrix whose element (k, c) is at element `k·rowStride + c·columnStride` of
  /// `matrix`. The strides decide whether products are with a stored matrix or with its transpose.
  /// Throws `IllegalArgumentException` if `columns` is no multiple of [#lanes].
  public static PackedMatrix of(
      MemorySegment matrix, int rows, int columns, int rowStride, int columnStride) {
    if (columns % L != 0) {
      throw new IllegalArgumentException(
          "a packed matrix has a multiple of %s columns, but was given %s×%s elements"
              .formatted(L, rows, columns));
    }
    float[] packed = new float[Math.multiplyExact(rows, columns)];
    float[] plain = matrix.toArray(JAVA_FLOAT);
    pack(plain, 0, rows, columns, rowStride, columnStride, packed, 0);
    return new PackedMatrix(rows, columns, packed);
  }

  /// Copies a matrix whose element (k, c) is at `at + k·rowStride + c·columnStride` into the order
  /// of the product, from `packedAt` on.
  static void pack(
      float[] matrix,
      int at,
      int rows,
      int columns,
      int rowStride,
      int columnStride,
      float[] packed,
      int packedAt) {
    int to = packedAt;
    for (int c = 0; c < columns; c += panel(columns - c)) {
      int width = panel(columns - c);
      for (int k = 0; k < rows; k++) {
        int from = at + k * rowStride + c * columnStride;
        for (int j = 0; j < width; j++) {
          packed[to++] = matrix[from + j * columnStride];
        }
      }
    }
  }

  /// Copies in the opposite direction of [#pack].
  static void unpack(
      float[] packed,
      int packedAt,
      int rows,
      int columns,
      float[] matrix,
      int at,
      int rowStride,
      int columnStride) {
    int from = packedAt;
    for (int c = 0; c < columns; c += panel(columns - c)) {
      int width = panel(columns - c);
      for (int k = 0; k < rows; k++) {
        int to = at + k * rowStride + c * columnStride;
        for (int j = 0; j < width; j++) {
          matrix[to + j * columnStride] = packed[from++];
        }
      }
    }
  }

  /// The width of the next panel if `left` columns are left.
  static int panel(int left) {
    return left >= 2 * L ? 2 * L : L;
  }

  static int inWholeFours(int n) {
    return (n + ROWS - 1) / ROWS * ROWS;
  }

  /// Computes y = x · matrix for `n` rows of x, which start at element `xAt`, and writes it to y
  /// from element `yAt` on.
  public void times(MemorySegment x, long xAt, int n, MemorySegment y, long yAt) {
    for (int i = 0; i < n; i += AT_ONCE) {
      int count = Math.min(AT_ONCE, n - i);
      MemorySegment.copy(x, JAVA_FLOAT, 4 * (xAt + (long) i * rows), this.x, 0, count * rows);
      for (int c = 0; c < columns; c += panel(columns - c)) {
        int width = panel(columns - c);
        timesPanel(this.x, 0, count, rows, packed, rows * c, width, this.y, c, columns);
      }
      MemorySegment.copy(this.y, 0, y, JAVA_FLOAT, 4 * (yAt + (long) i * columns), count * columns);
    }
  }

  /// Computes the columns of one panel, `width` of them, from arrays. The panel begins at `panelAt`
  /// of `matrix`, and the rows of y are `apart` elements apart. Both x and y must have room for a
  /// multiple of four rows; the product also takes the rows beyond the last one of x, and their
  /// results are never read.
  static void timesPanel(
      float[] x,
      int xAt,
      int n,
      int rows,
      float[] matrix,
      int panelAt,
      int width,
      float[] y,
      int yAt,
      int apart) {
    if (width == L) {
      narrow(x, xAt, n, rows, matrix, panelAt, y, yAt, apart);
    } else {
      wide(x, xAt, n, rows, matrix, panelAt, y, yAt, apart);
    }
  }

  /// Multiplies all rows by a panel of two vectors of columns.
  private static void wide(
      float[] x, int xAt, int n, int rows, float[] m, int panel, float[] y, int yAt, int columns) {
    int rows2 = 2 * rows;
    int rows3 = 3 * rows;
    for (int i = 0; i < n; i += ROWS) {
      int from = xAt + i * rows;
      int end = from + rows;
      int mAt = panel - 2 * L * from;
      FloatVector a0 = FloatVector.zero(S);
      FloatVector a1 = a0;
      FloatVector b0 = a0;
      FloatVector b1 = a0;
      FloatVector c0 = a0;
      FloatVector c1 = a0;
      FloatVector d0 = a0;
      FloatVector d1 = a0;
      int k = from;
      for (; k < end - 1; k += 2) {
        FloatVector m0 = load(m, mAt + 2 * L * k);
        FloatVector m1 = load(m, mAt + 2 * L * k + L);
        FloatVector v = broadcast(x, k);
        a0 = v.fma(m0, a0);
        a1 = v.fma(m1, a1);
        v = broadcast(x, k + rows);
        b0 = v.fma(m0, b0);
        b1 = v.fma(m1, b1);
        v = broadcast(x, k + rows2);
        c0 = v.fma(m0, c0);
        c1 = v.fma(m1, c1);
        v = broadcast(x, k + rows3);
        d0 = v.fma(m0, d0);
        d1 = v.fma(m1, d1);
        m0 = load(m, mAt + 2 * L * k + 2 * L);
        m1 = load(m, mAt + 2 * L * k + 3 * L);
        v = broadcast(x, k + 1);
        a0 = v.fma(m0, a0);
        a1 = v.fma(m1, a1);
        v = broadcast(x, k + rows + 1);
        b0 = v.fma(m0, b0);
        b1 = v.fma(m1, b1);
        v = broadcast(x, k + rows2 + 1);
        c0 = v.fma(m0, c0);
        c1 = v.fma(m1, c1);
        v = broadcast(x, k + rows3 + 1);
        d0 = v.fma(m0, d0);
        d1 = v.fma(m1, d1);
      }
      if (k < end) {
        FloatVector m0 = load(m, mAt + 2 * L * k);
        FloatVector m1 = load(m, mAt + 2 * L * k + L);
        FloatVector v = broadcast(x, k);
        a0 = v.fma(m0, a0);
        a1 = v.fma(m1, a1);
        v = broadcast(x, k + rows);
        b0 = v.fma(m0, b0);
        b1 = v.fma(m1, b1);
        v = broadcast(x, k + rows2);
        c0 = v.fma(m0, c0);
        c1 = v.fma(m1, c1);
        v = broadcast(x, k + rows3);
        d0 = v.fma(m0, d0);
        d1 = v.fma(m1, d1);
      }
      int to = yAt + i * columns;
      store(a0, a1, y, to);
      store(b0, b1, y, to + columns);
      store(c0, c1, y, to + 2 * columns);
      store(d0, d1, y, to + 3 * columns);
    }
  }

  /// Multiplies all rows by a panel of a single vector of columns.
  private static void narrow(
      float[] x, int xAt, int n, int rows, float[] m, int panel, float[] y, int yAt, int columns) {
    int rows2 = 2 * rows;
    int rows3 = 3 * rows;
    for (int i = 0; i < n; i += ROWS) {
      int from = xAt + i * rows;
      int end = from + rows;
      int mAt = panel - L * from;
      FloatVector a = FloatVector.zero(S);
      FloatVector b = a;
      FloatVector c = a;
      FloatVector d = a;
      for (int k = from; k < end; k++) {
        FloatVector v = load(m, mAt + L * k);
        a = broadcast(x, k).fma(v, a);
        b = broadcast(x, k + rows).fma(v, b);
        c = broadcast(x, k + rows2).fma(v, c);
        d = broadcast(x, k + rows3).fma(v, d);
      }
      int to = yAt + i * columns;
      a.intoArray(y, to);
      b.intoArray(y, to + columns);
      c.intoArray(y, to + 2 * columns);
      d.intoArray(y, to + 3 * columns);
    }
  }

  static FloatVector load(float[] memory, int at) {
    return FloatVector.fromArray(S, memory, at);
  }

  static FloatVector broadcast(float[] memory, int at) {
    return FloatVector.broadcast(S, memory[at]);
  }

  static void store(FloatVector v0, FloatVector v1, float[] memory, int at) {
    v0.intoArray(memory, at);
    v1.intoArray(memory, at + L);
  }
}
