package fathom.io;

import fathom.DType;
import fathom.Shape;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/// The elements of a tensor as they lie in a file, of any type and perhaps not in row-major order.
///
/// @param storage from the element with all indices 0 to the last one at least
/// @param strides the distance between neighbours in each dimension, in elements
record Elements(StoredType type, Shape shape, long[] strides, MemorySegment storage) {
  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(LITTLE);
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(LITTLE);
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(LITTLE);

  /// The element at a byte of the storage, as the bits of a FLOAT32 or as an INT64.
  private interface Widening {
    long widen(MemorySegment storage, long at);
  }

  /// Returns the elements that lie in row-major order in `bytes`.
  static Elements rowMajor(StoredType type, Shape shape, MemorySegment bytes) {
    return new Elements(type, shape, rowMajor(shape), bytes);
  }

  static long[] rowMajor(Shape shape) {
    long[] strides = new long[shape.rank()];
    long stride = 1;
    for (int d = strides.length - 1; d >= 0; d--) {
      strides[d] = stride;
      stride *= Math.max(1, shape.size(d));
    }
    return strides;
  }

  /// Returns the number of elements from the first to the last one. Throws `ArithmeticException` if
  /// that does not fit into a `long`.
  static long extent(Shape shape, long[] strides) {
    if (shape.elements() == 0) {
      return 0;
    }
    long last = 0;
    for (int d = 0; d < strides.length; d++) {
      last = Math.addExact(last, Math.multiplyExact(shape.size(d) - 1, strides[d]));
    }
    return Math.addExact(last, 1);
  }

  /// Returns the tensor: a view of the storage if that is possible, and otherwise in memory from
  /// `memory`. F16 and BF16 become FLOAT32, which represents all of their values exactly; whole
  /// numbers and truths become INT64. The result is null if no type has such elements.
  @Nullable StoredTensor widened(SegmentAllocator memory) {
    Widening widening = widening();
    DType own = type.type();
    DType to = own != null ? own : isHalf() ? DType.FLOAT32 : DType.INT64;
    if (own == null && widening == null) {
      return null;
    }
    long count = shape.elements();
    if (own != null && isRowMajor()) {
      return new StoredTensor(own, shape, storage.asSlice(0, count * own.bytes()));
    }
    MemorySegment wide = memory.allocate(count * to.bytes(), Long.BYTES);
    var source = new Position();
    for (long i = 0; i < count; i++, source.next()) {
      long at = type.bytes(source.element);
      long value = own == null && widening != null ? widening.widen(storage, at) : bits(at);
      if (to.bytes() == Long.BYTES) {
        wide.set(LONG, i * Long.BYTES, value);
      } else {
        wide.set(INT, i * Integer.BYTES, (int) value);
      }
    }
    return new StoredTensor(to, shape, wide);
  }

  private boolean isHalf() {
    return type == StoredType.F16 || type == StoredType.BF16;
  }

  private long bits(long at) {
    return type.bytes(1) == Long.BYTES ? storage.get(LONG, at) : storage.get(INT, at);
  }

  private @Nullable Widening widening() {
    return switch (type) {
      case F16 -> (from, at) -> Float.floatToRawIntBits(Float.float16ToFloat(from.get(SHORT, at)));
      case BF16 -> (from, at) -> (long) from.get(SHORT, at) << 16;
      case I8 -> (from, at) -> from.get(ValueLayout.JAVA_BYTE, at);
      case U8 -> (from, at) -> Byte.toUnsignedLong(from.get(ValueLayout.JAVA_BYTE, at));
      case BOOL -> (from, at) -> from.get(ValueLayout.JAVA_BYTE, at) == 0 ? 0 : 1;
      case I16 -> (from, at) -> from.get(SHORT, at);
      case U16 -> (from, at) -> Short.toUnsignedLong(from.get(SHORT, at));
      case I32 -> (from, at) -> from.get(INT, at);
      case U32 -> (from, at) -> Integer.toUnsignedLong(from.get(INT, at));
      default -> null;
    };
  }

  /// Dimensions of one element may have any stride.
  private boolean isRowMajor() {
    long[] expected = rowMajor(shape);
    for (int d = 0; d < expected.length; d++) {
      if (shape.size(d) > 1 && strides[d] != expected[d]) {
        return false;
      }
    }
    return true;
  }

  /// Goes through the elements in row-major order.
  private final class Position {
    private final long[] index = new long[shape.rank()];
    private long element;

    void next() {
      for (int d = index.length - 1; d >= 0; d--) {
        element += strides[d];
        if (++index[d] < shape.size(d)) {
          return;
        }
        element -= index[d] * strides[d];
        index[d] = 0;
      }
    }
  }
}
