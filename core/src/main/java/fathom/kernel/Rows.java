package fathom.kernel;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import fathom.DType;
import fathom.Tensor;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// A matrix in memory, `count` rows of `channels` elements each, without gaps. Images with their
/// channels innermost are one row per pixel. The reading and writing of single elements is for the
/// specifications.
record Rows(MemorySegment memory, DType type, long count, int channels) {
  Rows {
    if (memory.byteSize() != count * channels * type.bytes()) {
      throw new IllegalArgumentException(
          "%s rows of %s %s need %s bytes, but the memory has %s"
              .formatted(
                  count, channels, type, count * channels * type.bytes(), memory.byteSize()));
    }
  }

  /// The elements of a tensor as they lie in memory.
  static Rows of(Tensor t, int channels) {
    return new Rows(t.segment(), t.type(), t.shape().elements() / channels, channels);
  }

  /// The same of what may be missing.
  static @Nullable Rows ofNullable(@Nullable Tensor t, int channels) {
    return t == null ? null : of(t, channels);
  }

  /// Throws `IllegalArgumentException` if there is an `other` that has another number of rows,
  /// channels or another type.
  void checkLike(@Nullable Rows other) {
    if (other != null
        && (other.count != count || other.channels != channels || other.type != type)) {
      throw new IllegalArgumentException(
          "the operands of a kernel have one size and type, but these are %s×%s %s and %s×%s %s"
              .formatted(count, channels, type, other.count, other.channels, other.type));
    }
  }

  /// Element `i` of all.
  double get(long i) {
    return switch (type) {
      case FLOAT32 -> memory.getAtIndex(JAVA_FLOAT, i);
      case FLOAT64 -> memory.getAtIndex(JAVA_DOUBLE, i);
      case BFLOAT16 -> BFloat16.value(memory.getAtIndex(JAVA_SHORT, i));
      case INT64 -> throw wholeNumbers();
    };
  }

  /// Rounds to element `i` of all.
  void set(long i, double v) {
    switch (type) {
      case FLOAT32 -> memory.setAtIndex(JAVA_FLOAT, i, (float) v);
      case FLOAT64 -> memory.setAtIndex(JAVA_DOUBLE, i, v);
      case BFLOAT16 -> memory.setAtIndex(JAVA_SHORT, i, BFloat16.nearest((float) v));
      case INT64 -> throw wholeNumbers();
    }
  }

  /// Copies a row.
  void read(long row, double[] to) {
    for (int i = 0; i < channels; i++) {
      to[i] = get(row * channels + i);
    }
  }

  /// Rounds to a row.
  void write(long row, double... from) {
    for (int i = 0; i < channels; i++) {
      set(row * channels + i, from[i]);
    }
  }

  private static IllegalArgumentException wholeNumbers() {
    return new IllegalArgumentException(
        "a norm runs in FLOAT32, FLOAT64 or BFLOAT16, but was given INT64");
  }
}
