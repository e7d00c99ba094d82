package fathom.net;

import fathom.Layer;
import fathom.Node;
import fathom.nn.Chain;
import fathom.nn.Conv2d;
import fathom.nn.Identity;
import fathom.nn.Init;
import fathom.nn.PaddedSubsample;

/// What a residual block adds to its branch (He et al. 2016, section 3.3).
public enum Shortcut {
  /// Nothing, which makes the net the plain twin.
  NONE,
  /// Option A: the identity; where dimensions change, every second pixel, with channels of zeros
  /// added.
  A,
  /// Option B: the identity; where dimensions change, a 1×1 convolution with the net's norm.
  B,
  /// Option C: a 1×1 convolution with the net's norm everywhere.
  C;

  /// Returns the connection around a block from `in` to `out` channels at a stride, whose output
  /// images have this size. Throws `IllegalStateException` for [#NONE].
  Layer layer(
      Init init, String path, Norm norm, int in, int out, int stride, int height, int width) {
    boolean same = stride == 1 && in == out;
    return switch (this) {
      case NONE -> throw new IllegalStateException("a plain block has no shortcut");
      case A -> same ? new Identity() : new PaddedSubsample(stride, in, out);
      case B ->
          same ? new Identity() : projection(init, path, norm, in, out, stride, height, width);
      case C -> projection(init, path, norm, in, out, stride, height, width);
    };
  }

  private static Layer projection(
      Init init, String path, Norm norm, int in, int out, int stride, int height, int width) {
    Layer convolution = Conv2d.of(init, Node.path(path, "0"), in, out, 1, stride);
    return Chain.of(norm.weighted(convolution), norm.layer(out, height, width));
  }
}
