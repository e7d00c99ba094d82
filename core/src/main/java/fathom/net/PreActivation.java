package fathom.net;

import fathom.Layer;
import fathom.Layer.Child;
import fathom.nn.Chain;
import fathom.nn.Conv2d;
import fathom.nn.Identity;
import fathom.nn.Init;
import fathom.nn.PaddedSubsample;
import fathom.nn.Relu;
import fathom.nn.Residual;
import java.util.ArrayList;
import java.util.List;

/// The blocks of pre-activation nets (He et al. 2016b, "Identity mappings in deep residual
/// networks", figure 1b). Norm and ReLU stand before each convolution of the branch, and nothing
/// follows the addition, so that a block whose branch gives zeros returns its input bit by bit.
///
/// Where dimensions change, the first norm and ReLU of a block come before it splits, and the
/// shortcut is a 1×1 convolution of their output, without a norm of its own. The stride of a
/// bottleneck is in its 3×3 convolution.
///
/// @param norms the name of a norm without its number
/// @param projection the name of the shortcut
/// @param zeroInit whether the last convolution of each branch begins with zeros
record PreActivation(
    Init init,
    Norm norm,
    Shortcut shortcut,
    boolean bottleneck,
    boolean zeroInit,
    String norms,
    String projection) {
  /// How many times as many channels a bottleneck gives as it has inside.
  static final int EXPANSION = 4;

  /// Throws `IllegalArgumentException` if the blocks are to have no shortcuts.
  static void check(Shortcut shortcut) {
    if (shortcut == Shortcut.NONE) {
      throw new IllegalArgumentException(
          "a pre-activation net has shortcuts, but shortcut NONE was asked for; plainN are the nets without");
    }
  }

  /// The channels that a block with `inner` channels gives.
  int out(int inner) {
    return bottleneck ? Math.multiplyExact(EXPANSION, inner) : inner;
  }

  /// Returns the block at `path` for images of `in` channels and this size.
  ///
  /// @param inner the channels inside the block
  /// @param first whether the block splits behind its first norm and ReLU even if dimensions stay,
  ///   as the paper has it for the first block of a net
  Layer block(String path, int in, int inner, int stride, int height, int width, boolean first) {
    int out = out(inner);
    int outHeight = (height + stride - 1) / stride;
    int outWidth = (width + stride - 1) / stride;
    var branch = new ArrayList<Child>();
    branch.add(new Child(norms + 1, norm.layer(in, height, width)));
    branch.add(new Child("relu1", new Relu()));
    if (bottleneck) {
      branch.add(convolution(init, path, 1, in, inner, 1, 1));
      activate(branch, 2, inner, height, width);
      branch.add(convolution(init, path, 2, inner, inner, 3, stride));
      activate(branch, 3, inner, outHeight, outWidth);
      branch.add(convolution(last(), path, 3, inner, out, 1, 1));
    } else {
      branch.add(convolution(init, path, 1, in, out, 3, stride));
      activate(branch, 2, out, outHeight, outWidth);
      branch.add(convolution(last(), path, 2, out, out, 3, 1));
    }
    boolean changes = stride != 1 || in != out || shortcut == Shortcut.C;
    Layer past = changes ? changing(path, in, out, stride) : new Identity();
    int common = changes || first ? 2 : 0;
    var layers = new ArrayList<>(branch.subList(0, common));
    var rest = new Chain(List.copyOf(branch.subList(common, branch.size())));
    layers.add(new Child("", new Residual(rest, past, projection)));
    return new Chain(layers);
  }

  private Init last() {
    return zeroInit ? Init.zeros() : init;
  }

  private Child convolution(
      Init init, String path, int i, int in, int out, int kernel, int stride) {
    String name = "conv" + i;
    return new Child(
        name, norm.weighted(Conv2d.of(init, path + "." + name, in, out, kernel, stride)));
  }

  private void activate(List<Child> branch, int i, int channels, int height, int width) {
    branch.add(new Child(norms + i, norm.layer(channels, height, width)));
    branch.add(new Child("relu" + i, new Relu()));
  }

  private Layer changing(String path, int in, int out, int stride) {
    return shortcut == Shortcut.A
        ? new PaddedSubsample(stride, in, out)
        : norm.weighted(Conv2d.of(init, path + "." + projection, in, out, 1, stride));
  }
}
