package fathom.kernel;

import java.lang.foreign.MemorySegment;

/// `count` pictures of `height`×`width` pixels in float32, without gaps and with their channels
/// innermost, as a tensor in channels-last memory lies.
public record FeatureMaps(MemorySegment memory, long count, int height, int width, int channels) {
  public FeatureMaps {
    long bytes = 4 * count * height * width * channels;
    if (memory.byteSize() != bytes) {
      throw new IllegalArgumentException(
          "%s pictures of %s×%s pixels and %s channels need %s bytes, but the memory has %s"
              .formatted(count, height, width, channels, bytes, memory.byteSize()));
    }
  }

  /// Throws `IllegalArgumentException` if `other` has another number or size of pictures.
  void checkPixels(FeatureMaps other) {
    if (other.count != count || other.height != height || other.width != width) {
      throw new IllegalArgumentException(
          "a convolution at stride 1 keeps number and size, but these are %s of %s×%s and %s of %s×%s"
              .formatted(count, height, width, other.count, other.height, other.width));
    }
  }
}
