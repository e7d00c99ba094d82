package fathom.net;

import fathom.Layer;
import fathom.Layer.Child;
import fathom.nn.AveragePool2d;
import fathom.nn.Chain;
import fathom.nn.Conv2d;
import fathom.nn.Identity;
import fathom.nn.Init;
import fathom.nn.Relu;
import fathom.nn.Residual;
import java.util.ArrayList;
import java.util.List;

/// The parts from which a block of a [PhotoNet] is built. It maps `in` channels of images of this
/// size to `inner` channels, or to four times as many if it is a bottleneck.
record PhotoBlock(
    Init init,
    String path,
    Norm norm,
    int in,
    int inner,
    int stride,
    int height,
    int width,
    Shortcut shortcut,
    PhotoNet.Form form) {
  /// How many times as many channels a bottleneck gives as it has inside.
  static final int EXPANSION = 4;

  int outHeight() {
    return stride == 1 ? height : PhotoNet.half(height);
  }

  int outWidth() {
    return stride == 1 ? width : PhotoNet.half(width);
  }

  Layer basic() {
    var branch = new ArrayList<Child>();
    add(branch, 1, in, inner, 3, stride, outHeight(), outWidth());
    branch.add(new Child("relu1", new Relu()));
    add(branch, 2, inner, inner, 3, 1, outHeight(), outWidth());
    return joined(branch, inner, "relu2");
  }

  Layer bottleneck() {
    var branch = new ArrayList<Child>();
    boolean early = form.strideIn() == 1;
    int h = early ? outHeight() : height;
    int w = early ? outWidth() : width;
    add(branch, 1, in, inner, 1, early ? stride : 1, h, w);
    branch.add(new Child("relu1", new Relu()));
    add(branch, 2, inner, inner, 3, early ? 1 : stride, outHeight(), outWidth());
    branch.add(new Child("relu2", new Relu()));
    add(branch, 3, inner, EXPANSION * inner, 1, 1, outHeight(), outWidth());
    return joined(branch, EXPANSION * inner, "relu3");
  }

  /// Appends a convolution and the norm behind it.
  private void add(
      List<Child> branch, int i, int from, int to, int kernel, int stride, int h, int w) {
    String name = "conv" + i;
    Layer conv = Conv2d.of(init, path + "." + name, from, to, kernel, stride);
    branch.add(new Child(name, norm.weighted(conv)));
    branch.add(new Child("bn" + i, norm.layer(to, h, w)));
  }

  private Layer joined(List<Child> branch, int out, String rectifier) {
    if (form.zeroInit()) {
      Child last = branch.removeLast();
      branch.add(new Child(last.name(), norm.zeroLayer(out, outHeight(), outWidth())));
    }
    var relu = new Child(rectifier, new Relu());
    if (shortcut == Shortcut.NONE) {
      branch.add(relu);
      return new Chain(branch);
    }
    String name = "downsample";
    Layer past = past(path + "." + name, out);
    var residual = new Residual(new Chain(branch), past, name);
    return new Chain(List.of(new Child("", residual), relu));
  }

  /// Returns the shortcut; a projection of ResNet-D is an average pool, if there is a stride, and a
  /// 1×1 convolution at stride 1.
  private Layer past(String at, int out) {
    boolean projected =
        shortcut == Shortcut.C || (shortcut == Shortcut.B && (stride != 1 || in != out));
    if (!form.tricks() || !projected) {
      return shortcut.layer(init, at, norm, in, out, stride, outHeight(), outWidth());
    }
    return Chain.of(
        stride == 1 ? new Identity() : new AveragePool2d(stride),
        norm.weighted(Conv2d.of(init, at + ".1", in, out, 1, 1)),
        norm.layer(out, outHeight(), outWidth()));
  }
}
