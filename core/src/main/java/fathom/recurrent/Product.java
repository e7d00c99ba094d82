package fathom.recurrent;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import fathom.DType;
import fathom.Tensor;
import fathom.kernel.PackedMatrix;
import java.lang.foreign.MemorySegment;

/// The multiplication of a step's rows by a weight matrix, at every step by the same one.
interface Product {
  /// y = x · matrix for `n` rows of x from element `xAt` on, into y from element `yAt` on.
  void times(MemorySegment x, long xAt, int n, MemorySegment y, long yAt);

  /// By the transpose of `weight`, C×K: the way forward.
  static Product byTranspose(Tensor weight, boolean vectors) {
    int columns = Math.toIntExact(weight.shape().size(0));
    int rows = Math.toIntExact(weight.shape().size(1));
    return of(weight, rows, columns, 1, rows, vectors);
  }

  /// By `weight`, K×C: the way back.
  static Product by(Tensor weight, boolean vectors) {
    int rows = Math.toIntExact(weight.shape().size(0));
    int columns = Math.toIntExact(weight.shape().size(1));
    return of(weight, rows, columns, columns, 1, vectors);
  }

  private static Product of(
      Tensor weight, int rows, int columns, int rowStride, int columnStride, boolean vectors) {
    if (vectors) {
      return PackedMatrix.of(weight.segment(), rows, columns, rowStride, columnStride)::times;
    }
    return new TextBook(weight.segment(), weight.type(), rows, columns, rowStride, columnStride);
  }

  /// Sums of products in double precision.
  record TextBook(
      MemorySegment matrix, DType type, int rows, int columns, long rowStride, long columnStride)
      implements Product {
    @Override
    public void times(MemorySegment x, long xAt, int n, MemorySegment y, long yAt) {
      for (int i = 0; i < n; i++) {
        for (int c = 0; c < columns; c++) {
          double sum = 0;
          for (int k = 0; k < rows; k++) {
            sum +=
                get(x, xAt + (long) i * rows + k) * get(matrix, k * rowStride + c * columnStride);
          }
          set(y, yAt + (long) i * columns + c, sum);
        }
      }
    }

    private double get(MemorySegment memory, long at) {
      return type == DType.FLOAT64
          ? memory.getAtIndex(JAVA_DOUBLE, at)
          : memory.getAtIndex(JAVA_FLOAT, at);
    }

    private void set(MemorySegment memory, long at, double value) {
      if (type == DType.FLOAT64) {
        memory.setAtIndex(JAVA_DOUBLE, at, value);
      } else {
        memory.setAtIndex(JAVA_FLOAT, at, (float) value);
      }
    }
  }
}
