package fathom.io;

import fathom.DType;
import fathom.Shape;
import java.lang.foreign.MemorySegment;

/// A tensor as it lies in a file: type, shape, and the elements' bytes in row-major order,
/// little-endian.
///
/// Little-endian is the byte order of the format and of every platform that Fathom runs on. A
/// segment from [SafeTensors#tensor] may begin at any address, so it must be read with unaligned
/// layouts. Two stored tensors are equal if they refer to the same memory, not if they have the
/// same content.
public record StoredTensor(DType type, Shape shape, MemorySegment bytes) {
  /// The most dimensions; a file that claims more is rejected.
  static final int MAX_RANK = 64;

  /// Throws `IllegalArgumentException` if the segment's size is not that of the elements, or if
  /// there are more than 64 dimensions.
  public StoredTensor {
    if (shape.rank() > MAX_RANK) {
      throw new IllegalArgumentException(
          "a tensor in a file has at most %s dimensions, but this one has %s"
              .formatted(MAX_RANK, shape.rank()));
    }
    if (StoredType.of(type).bytes(shape) != bytes.byteSize()) {
      throw new IllegalArgumentException(
          "a %s tensor of shape %s has %s bytes, but the segment has %s"
              .formatted(type, shape, StoredType.of(type).bytes(shape), bytes.byteSize()));
    }
  }
}
