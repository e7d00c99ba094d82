package fathom;

import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.global.torch;

/// The operations of libtorch that average windows of images. None of them reads tensor memory from
/// Java, so the tensors may be on any device.
public final class TorchPools {
  private static final long[] NO_PADDING = {0, 0};

  private TorchPools() {}

  /// Returns the mean of each window of `size`×`size` pixels of N×C×H×W images. Windows lie side by
  /// side; one at the right or lower edge is over the pixels that there are.
  public static Tensor average(Tensor x, int size) {
    long[] window = {size, size};
    try (var ownDivisor = new LongOptional()) {
      return Tensor.adopt(
          torch.avg_pool2d(x.raw(), window, window, NO_PADDING, true, false, ownDivisor));
    }
  }

  /// Computes the backward pass of [#average]: returns dE/dx for the cotangent `dy`, in which each
  /// window's cotangent is shared among its pixels.
  public static Tensor averageBackward(Tensor dy, Tensor x, int size) {
    long[] window = {size, size};
    try (var ownDivisor = new LongOptional()) {
      return Tensor.adopt(
          torch.avg_pool2d_backward(
              dy.raw(), x.raw(), window, window, NO_PADDING, true, false, ownDivisor));
    }
  }
}
