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
          "%d rows of %d %s need %d bytes, but the memory has %d"
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
          "the operands of a kernel have one size and type, but these are %d×%d %s and %d×%d %s"
              .formatted(count, channels, type, other.count, other.channels, other.type));
    }
  }
}
