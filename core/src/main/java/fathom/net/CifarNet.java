package fathom.net;

import fathom.Layer;
import fathom.Layer.Child;
import fathom.nn.Chain;
import fathom.nn.Conv2d;
import fathom.nn.Dense;
import fathom.nn.Dropout;
import fathom.nn.GlobalAveragePool;
import fathom.nn.Init;
import fathom.nn.Relu;
import fathom.nn.Residual;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/// A net of the residual paper's CIFAR experiments (He et al. 2016, section 4.2). It has a 3×3
/// convolution, three stages of n blocks of two 3×3 convolutions, a global average pool and a dense
/// layer; its depth is 6n + 2. The stages have W, 2W and 4W channels, and the second and the third
/// halve the image size. Batch norm stands between every convolution and its ReLU; the last ReLU of
/// a block follows the addition.
///
/// Another [Norm] stands in the same places under the same names.
///
/// A plain net is the same net without shortcuts; with option A both have the same parameters.
/// Parameters have the names of the published weights: `conv1.weight`, `layer1.0.bn1.running_mean`,
/// `linear.bias`.
///
/// resnet50 and resnet152 are not among these nets, although their depths fit: these names belong
/// to [PhotoNet].
///
/// @param depth 6n + 2 for n of at least 1
/// @param width W, the channels of the first stage; 16 in the paper
/// @param input the shape of the images
/// @param dropout the probability with which a training step drops an activation before the dense
///   layer; 0 in the paper
/// @param zeroInit whether the last norm of each residual branch begins with gains of zero; not so
///   in the paper
public record CifarNet(
    int depth,
    Shortcut shortcut,
    Norm norm,
    int width,
    ImageShape input,
    int classes,
    double dropout,
    boolean zeroInit)
    implements Architecture.Convolutional {
  /// The greatest depth, ten times that of the deepest net of the paper; the objects of much deeper
  /// nets would fill the heap.
  private static final int DEEPEST = 12_002;

  private static final Pattern NAME = Pattern.compile("(resnet|plain)(\\d{1,6})");

  /// Throws `IllegalArgumentException` if the depth is not 6n + 2, too great or that of a
  /// bottleneck net with shortcuts, or if a size is below 1.
  public CifarNet {
    if (depth < 8 || depth % 6 != 2) {
      int below = Math.max(8, depth - Math.floorMod(depth - 2, 6));
      throw new IllegalArgumentException(
          "a CIFAR net has depth 6n+2, but %s was asked for; the nearest are %s and %s"
              .formatted(depth, below, below + 6));
    }
    if (depth > DEEPEST) {
      throw new IllegalArgumentException(
          "a CIFAR net has at most %s layers, but %s were asked for".formatted(DEEPEST, depth));
    }
    if (shortcut != Shortcut.NONE && PhotoNet.bottleneck(depth)) {
      throw new IllegalArgumentException(
          "resnet%s is the bottleneck net for photos, so there is no CIFAR net of that name; the nearest are resnet%s and resnet%s"
              .formatted(depth, depth - 6, depth + 6));
    }
    norm.checkZero(shortcut, zeroInit);
    if (width < 1
        || classes < 1
        || input.channels() < 1
        || input.height() < 1
        || input.width() < 1) {
      throw new IllegalArgumentException(
          "width, classes and image sizes are at least 1, but are %s, %s and %s"
              .formatted(width, classes, input));
    }
  }

  /// Makes a net without dropout.
  public CifarNet(
      int depth, Shortcut shortcut, Norm norm, int width, ImageShape input, int classes) {
    this(depth, shortcut, norm, width, input, classes, 0, false);
  }

  /// Returns the net of the paper with this name, such as `resnet20` or `plain20`: option A or no
  /// shortcut, 16 channels, 3×32×32 images of ten classes. Throws `IllegalArgumentException` for
  /// another name or depth.
  public static CifarNet named(String name) {
    var matcher = NAME.matcher(name.toLowerCase(Locale.ROOT));
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "there is no model \"%s\"; there are resnetN and plainN for N = 6n+2: resnet20, plain56, ..."
              .formatted(name));
    }
    return new CifarNet(
        Integer.parseInt(matcher.group(2)),
        matcher.group(1).equals("plain") ? Shortcut.NONE : Shortcut.A,
        Norm.BATCH,
        16,
        new ImageShape(3, 32, 32),
        10);
  }

  /// The depths of the paper's table 6.
  public static List<Integer> paperDepths() {
    return List.of(20, 32, 44, 56, 110, 1202);
  }

  /// For example `resnet20` or `plain20`.
  @Override
  public String name() {
    return (shortcut == Shortcut.NONE ? "plain" : "resnet") + depth;
  }

  @Override
  public int blocks() {
    return (depth - 2) / 2;
  }

  @Override
  public List<String> stages() {
    return List.of("layer1", "layer2", "layer3");
  }

  @Override
  public Options options() {
    return Options.of(this, dropout, 3, zeroInit);
  }

  @Override
  public CifarNet withShortcut(Shortcut shortcut) {
    return new CifarNet(depth, shortcut, norm, width, input, classes, dropout, zeroInit);
  }

  @Override
  public CifarNet withNorm(Norm norm) {
    return new CifarNet(depth, shortcut, norm, width, input, classes, dropout, zeroInit);
  }

  @Override
  public CifarNet withWidth(int width) {
    return new CifarNet(depth, shortcut, norm, width, input, classes, dropout, zeroInit);
  }

  @Override
  public CifarNet withDropout(double dropout) {
    return new CifarNet(depth, shortcut, norm, width, input, classes, dropout, zeroInit);
  }

  @Override
  public CifarNet withZeroInit(boolean zeroInit) {
    return new CifarNet(depth, shortcut, norm, width, input, classes, dropout, zeroInit);
  }

  @Override
  public CifarNet on(ImageShape input, int classes) {
    return new CifarNet(depth, shortcut, norm, width, input, classes, dropout, zeroInit);
  }

  @Override
  public Layer build(Init init) {
    var layers = new ArrayList<Child>();
    layers.add(
        new Child("conv1", norm.weighted(Conv2d.of(init, "conv1", input.channels(), width, 3, 1))));
    layers.add(new Child("bn1", norm.layer(width, input.height(), input.width())));
    layers.add(new Child("relu", new Relu()));
    int in = width;
    int height = input.height();
    int wide = input.width();
    for (int stage = 1; stage <= 3; stage++) {
      int out = width << (stage - 1);
      String path = "layer" + stage;
      var blocks = new ArrayList<Child>();
      for (int i = 0; i < (depth - 2) / 6; i++) {
        int stride = stage > 1 && i == 0 ? 2 : 1;
        height = (height + stride - 1) / stride;
        wide = (wide + stride - 1) / stride;
        Layer block = block(init, path + "." + i, in, out, stride, height, wide);
        blocks.add(new Child(Integer.toString(i), block));
        in = out;
      }
      layers.add(new Child(path, new Chain(blocks)));
    }
    layers.add(new Child("pool", new GlobalAveragePool()));
    if (dropout > 0) {
      layers.add(new Child("dropout", new Dropout(dropout, "dropout")));
    }
    layers.add(new Child("linear", Dense.of(init, "linear", in, classes)));
    return new Chain(layers);
  }

  private Layer block(Init init, String path, int in, int out, int stride, int height, int width) {
    var branch =
        List.of(
            new Child("conv1", norm.weighted(Conv2d.of(init, path + ".conv1", in, out, 3, stride))),
            new Child("bn1", norm.layer(out, height, width)),
            new Child("relu1", new Relu()),
            new Child("conv2", norm.weighted(Conv2d.of(init, path + ".conv2", out, out, 3, 1))),
            new Child(
                "bn2",
                zeroInit ? norm.zeroLayer(out, height, width) : norm.layer(out, height, width)));
    var relu = new Child("relu2", new Relu());
    if (shortcut == Shortcut.NONE) {
      var all = new ArrayList<>(branch);
      all.add(relu);
      return new Chain(all);
    }
    Layer past = shortcut.layer(init, path + ".shortcut", norm, in, out, stride, height, width);
    return new Chain(List.of(new Child("", new Residual(new Chain(branch), past)), relu));
  }
}
