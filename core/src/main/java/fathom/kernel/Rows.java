package fathom.kernel;

import fathom.DType;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// A matrix in memory, `count` rows of `channels` elements each, without gaps. Pictures with their
/// channels innermost are one row per pixel.
public record Rows(MemorySegment memory, DType type, long count, int channels) {
  public Rows {
    if (memory.byteSize() != count * channels * type.bytes()) {
      throw new IllegalArgumentException(
          "%s rows of %s %s need %s bytes, but the memory has %s"
              .formatted(
                  count, channels, type, count * channels * type.bytes(), memory.byteSize()));
    }
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
}
