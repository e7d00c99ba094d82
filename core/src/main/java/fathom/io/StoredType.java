package fathom.io;

import fathom.DType;
import fathom.Shape;
import org.jspecify.annotations.Nullable;

/// The element types that a safetensors file may name, with their bits per element.
enum StoredType {
  BOOL(8),
  F4(4),
  F6_E2M3(6),
  F6_E3M2(6),
  U8(8),
  I8(8),
  F8_E5M2(8),
  F8_E4M3(8),
  F8_E8M0(8),
  F8_E4M3FNUZ(8),
  F8_E5M2FNUZ(8),
  I16(16),
  U16(16),
  F16(16),
  BF16(16),
  I32(32),
  U32(32),
  F32(DType.FLOAT32),
  C64(64),
  F64(DType.FLOAT64),
  I64(DType.INT64),
  U64(64);

  private final int bits;
  private final @Nullable DType type;

  StoredType(int bits) {
    this.bits = bits;
    this.type = null;
  }

  StoredType(DType type) {
    this.bits = 8 * type.bytes();
    this.type = type;
  }

  static StoredType of(DType type) {
    return switch (type) {
      case FLOAT32 -> F32;
      case FLOAT64 -> F64;
      case BFLOAT16 -> BF16;
      case INT64 -> I64;
    };
  }

  /// Returns the type of tensors whose elements have this form, or null if there is none.
  @Nullable DType type() {
    return type;
  }

  /// Returns the number of bytes of so many elements, of a type whose elements fill whole bytes.
  long bytes(long elements) {
    return elements * (bits / 8);
  }

  /// Returns the number of bytes of a tensor of this shape. Throws `IllegalArgumentException` if
  /// that is no whole number or more than a `long` can hold.
  long bytes(Shape shape) {
    long allBits;
    try {
      allBits = Math.multiplyExact(shape.elements(), (long) bits);
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException(
          "%s elements of %s bits are more than can be counted".formatted(shape, bits), e);
    }
    if (allBits % 8 != 0) {
      throw new IllegalArgumentException(
          "%s elements of %s bits do not fill whole bytes".formatted(shape, bits));
    }
    return allBits / 8;
  }
}
