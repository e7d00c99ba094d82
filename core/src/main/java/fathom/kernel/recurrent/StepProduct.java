package fathom.kernel.recurrent;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import fathom.DType;
import fathom.Scope;
import fathom.Tensor;
import fathom.kernel.KernelForm;
import fathom.kernel.PackedMatrix;
import java.lang.foreign.MemorySegment;

/// The multiplication of a step's rows by a weight matrix, which is the same at every step.
public interface StepProduct {
  /// Computes y = x · matrix for the N×K rows of time `t` of x, T×N×K, and writes it to the rows of
  /// time `to` of y, T×N×C.
  void times(Tensor x, int t, Tensor y, int to);

  /// Returns the product with the transpose of `weight`, C×K, as the forward pass needs it.
  static StepProduct byTranspose(Tensor weight, KernelForm form) {
    int columns = Math.toIntExact(weight.shape().size(0));
    int rows = Math.toIntExact(weight.shape().size(1));
    return switch (form) {
      case SCALAR -> new Sums(weight.segment(), weight.type(), rows, columns, 1, rows);
      case VECTOR -> new Packed(PackedMatrix.of(weight.segment(), rows, columns, 1, rows));
      case TORCH -> new Operation(weight.transpose());
    };
  }

  /// Returns the product with `weight`, K×C, as the backward pass needs it.
  static StepProduct by(Tensor weight, KernelForm form) {
    int rows = Math.toIntExact(weight.shape().size(0));
    int columns = Math.toIntExact(weight.shape().size(1));
    return switch (form) {
      case SCALAR -> new Sums(weight.segment(), weight.type(), rows, columns, columns, 1);
      case VECTOR -> new Packed(PackedMatrix.of(weight.segment(), rows, columns, columns, 1));
      case TORCH -> new Operation(weight);
    };
  }

  /// The number of elements of one time.
  private static long step(Tensor all) {
    return all.shape().size(1) * all.shape().size(2);
  }

  /// The specification: sums of products in double precision.
  record Sums(
      MemorySegment matrix, DType type, int rows, int columns, long rowStride, long columnStride)
      implements StepProduct {
    @Override
    public void times(Tensor x, int t, Tensor y, int to) {
      long count = x.shape().size(1);
      MemorySegment from = x.segment();
      MemorySegment into = y.segment();
      long xAt = t * step(x);
      long yAt = to * step(y);
      for (int i = 0; i < count; i++) {
        for (int c = 0; c < columns; c++) {
          double sum = 0;
          for (int k = 0; k < rows; k++) {
            sum +=
                get(from, xAt + (long) i * rows + k)
                    * get(matrix, k * rowStride + c * columnStride);
          }
          set(into, yAt + (long) i * columns + c, sum);
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

  /// The product on vector registers, from a copy of the matrix in the order in which it is read.
  record Packed(PackedMatrix matrix) implements StepProduct {
    @Override
    public void times(Tensor x, int t, Tensor y, int to) {
      int count = Math.toIntExact(x.shape().size(1));
      matrix.times(x.segment(), t * step(x), count, y.segment(), to * step(y));
    }
  }

  /// Libtorch's matrix product.
  record Operation(Tensor matrix) implements StepProduct {
    @Override
    public void times(Tensor x, int t, Tensor y, int to) {
      try (var _ = Scope.open()) {
        at(y, to).zero_().addProduct_(at(x, t), matrix);
      }
    }

    private static Tensor at(Tensor all, int t) {
      long[] shape = all.shape().toArray();
      return all.narrow(0, t, t + 1L).reshape(shape[1], shape[2]);
    }
  }
}
