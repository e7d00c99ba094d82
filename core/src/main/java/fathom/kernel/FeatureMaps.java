package fathom.kernel;

import fathom.Shape;
import fathom.Tensor;
import java.lang.foreign.MemorySegment;

/// A memory segment seen as `count` images of `height`×`width` pixels in float32, without gaps and
/// with the channels of a pixel innermost: the layout of a tensor in channels-last memory.
record FeatureMaps(MemorySegment memory, long count, int height, int width, int channels) {
  FeatureMaps {
    long bytes = 4 * count * height * width * channels;
    if (memory.byteSize() != bytes) {
      throw new IllegalArgumentException(
          "%s images of %s×%s pixels and %s channels need %s bytes, but the memory has %s"
              .formatted(count, height, width, channels, bytes, memory.byteSize()));
    }
  }

  /// The elements of a tensor N×C×H×W in channels-last memory.
  static FeatureMaps of(Tensor t) {
    Shape s = t.shape();
    return new FeatureMaps(
        t.segment(), s.size(0), (int) s.size(2), (int) s.size(3), (int) s.size(1));
  }

  /// Number, height, width and channels, for messages.
  String sizes() {
    return "%s×%s×%s×%s".formatted(count, height, width, channels);
  }

  /// Throws `IllegalArgumentException` if `other` has another number or size of images.
  void checkPixels(FeatureMaps other) {
    if (other.count != count || other.height != height || other.width != width) {
      throw new IllegalArgumentException(
          "a convolution at stride 1 keeps number and size, but these are %s of %s×%s and %s of %s×%s"
              .formatted(count, height, width, other.count, other.height, other.width));
    }
  }
}
