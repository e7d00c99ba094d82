package fathom.kernel;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import fathom.DType;
import fathom.Tensor;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// A matrix in memory: `count` rows of `channels` elements each, without gaps. Images with their
/// channels innermost have one row per pixel. The methods that read or write single elements are
/// for the specifications.
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

  /// The rows of a tensor, or null if there is no tensor.
  static @Nullable Rows ofNullable(@Nullable Tensor t, int channels) {
    return t == null ? null : of(t, channels);
  }

  /// Throws `IllegalArgumentException` if `other` is not null and differs in its number of rows,
  /// its number of channels or its type.
  void checkLike(@Nullable Rows other) {
    if (other != null
        && (other.count != count || other.channels != channels || other.type != type)) {
      throw new IllegalArgumentException(
          "the operands of a kernel have one size and type, but these are %s×%s %s and %s×%s %s"
              .formatted(count, channels, type, other.count, other.channels, other.type));
    }
  }

  /// Element `i`, counted over all rows.
  double get(long i) {
    return switch (type) {
      case FLOAT32 -> memory.getAtIndex(JAVA_FLOAT, i);
      case FLOAT64 -> memory.getAtIndex(JAVA_DOUBLE, i);
      case BFLOAT16 -> BFloat16.value(memory.getAtIndex(JAVA_SHORT, i));
      case INT64 -> throw wholeNumbers();
    };
  }

  /// Rounds `v` to the type and writes it to element `i`, counted over all rows.
  void set(long i, double v) {
    switch (type) {
      case FLOAT32 -> memory.setAtIndex(JAVA_FLOAT, i, (float) v);
      case FLOAT64 -> memory.setAtIndex(JAVA_DOUBLE, i, v);
      case BFLOAT16 -> memory.setAtIndex(JAVA_SHORT, i, BFloat16.nearest((float) v));
      case INT64 -> throw wholeNumbers();
    }
  }

  /// Copies a row into `to`.
  void read(long row, double[] to) {
    for (int i = 0; i < channels; i++) {
      to[i] = get(row * channels + i);
    }
  }

  /// Rounds the elements of `from` and writes them to a row.
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
