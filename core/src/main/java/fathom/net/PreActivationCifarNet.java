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
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/// A pre-activation net for CIFAR (He et al. 2016b, section 4): a [CifarNet] whose norms and ReLUs
/// stand before the convolutions, with one more of each before the average pool. The path from the
/// images to the classes is then a sum to which each block adds ([PreActivation]).
///
/// A depth of 6n + 2 has n blocks of two 3×3 convolutions in each of three stages; 164 and the
/// depths of 9n + 2 that are not of this form, such as 1001, have n bottlenecks of 1×1, 3×3 and 1×1
/// convolutions, of which the last gives four times the channels. The shortcut of the first block
/// begins behind the block's first ReLU, as the paper has it. Where dimensions change, it is a 1×1
/// convolution, as in the authors' code, and not option A, as in the first paper's nets for CIFAR.
///
/// Parameters are named as those of [CifarNet]: `conv1.weight`, `layer1.0.bn1.running_mean`,
/// `layer2.0.shortcut.0.weight`, `bn.weight`, `linear.bias`.
///
/// @param depth 6n + 2 or 9n + 2 for n of at least 1
/// @param width W, the channels of the first stage; 16 in the paper
/// @param input the shape of the images
/// @param dropout the probability with which a training step drops an activation before the dense
///   layer
/// @param zeroInit whether the last convolution of each branch begins with zeros, so that the net
///   begins without its branches
public record PreActivationCifarNet(
    int depth,
    Shortcut shortcut,
    Norm norm,
    int width,
    ImageShape input,
    int classes,
    double dropout,
    boolean zeroInit)
    implements Architecture.Convolutional {
  private static final int DEEPEST = 12_002;

  /// The depth that is of both forms and of which the paper's net has bottlenecks.
  private static final int PAPERS_BOTTLENECK = 164;

  private static final Pattern NAME = Pattern.compile("preresnet(\\d{1,6})");

  /// Throws `IllegalArgumentException` if the depth is of neither form, too great or that of a net
  /// for photos, if the net is to have no shortcuts, or if a size is below 1.
  public PreActivationCifarNet {
    boolean two = depth >= 8 && depth % 6 == 2;
    boolean three = depth >= 11 && depth % 9 == 2;
    if (depth > DEEPEST || !(two || three)) {
      throw new IllegalArgumentException(
          "a pre-activation net for CIFAR has depth 6n+2, or 9n+2 with bottlenecks, of at most %s, but %s was asked for; there are preresnet20, 56, 110, 164, 1001"
              .formatted(DEEPEST, depth));
    }
    if (PreActivationPhotoNet.depths().contains(depth)) {
      throw new IllegalArgumentException(
          "preresnet%s is a net for photos, so there is no CIFAR net of that name; the nearest are preresnet%s and preresnet%s"
              .formatted(depth, depth - 6, depth + 6));
    }
    PreActivation.check(shortcut);
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

  /// Returns the net of this name, such as `preresnet20`: 1×1 convolutions where dimensions change,
  /// batch norm, 16 channels, 3×32×32 images of ten classes. Throws `IllegalArgumentException` for
  /// another name or depth.
  public static PreActivationCifarNet named(String name) {
    var matcher = NAME.matcher(name.toLowerCase(Locale.ROOT));
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "there is no model \"%s\"; there are preresnetN for N = 6n+2 or 9n+2: preresnet20, preresnet164, ..."
              .formatted(name));
    }
    return new PreActivationCifarNet(
        Integer.parseInt(matcher.group(1)),
        Shortcut.B,
        Norm.BATCH,
        16,
        new ImageShape(3, 32, 32),
        10,
        0,
        false);
  }

  /// The depths that a list shows: those that the papers compare.
  public static List<Integer> paperDepths() {
    return List.of(20, 56, 110, 164, 1001);
  }

  /// For example `preresnet20`.
  @Override
  public String name() {
    return "preresnet" + depth;
  }

  private boolean bottleneck() {
    return depth == PAPERS_BOTTLENECK || depth % 6 != 2;
  }

  private int perStage() {
    return (depth - 2) / (bottleneck() ? 9 : 6);
  }

  @Override
  public int blocks() {
    return 3 * perStage();
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
  public PreActivationCifarNet withShortcut(Shortcut shortcut) {
    return new PreActivationCifarNet(
        depth, shortcut, norm, width, input, classes, dropout, zeroInit);
  }

  @Override
  public PreActivationCifarNet withNorm(Norm norm) {
    return new PreActivationCifarNet(
        depth, shortcut, norm, width, input, classes, dropout, zeroInit);
  }

  @Override
  public PreActivationCifarNet withWidth(int width) {
    return new PreActivationCifarNet(
        depth, shortcut, norm, width, input, classes, dropout, zeroInit);
  }

  @Override
  public PreActivationCifarNet withDropout(double dropout) {
    return new PreActivationCifarNet(
        depth, shortcut, norm, width, input, classes, dropout, zeroInit);
  }

  @Override
  public PreActivationCifarNet withZeroInit(boolean zeroInit) {
    return new PreActivationCifarNet(
        depth, shortcut, norm, width, input, classes, dropout, zeroInit);
  }

  @Override
  public PreActivationCifarNet on(ImageShape input, int classes) {
    return new PreActivationCifarNet(
        depth, shortcut, norm, width, input, classes, dropout, zeroInit);
  }

  @Override
  public Layer build(Init init) {
    var make = new PreActivation(init, norm, shortcut, bottleneck(), zeroInit, "bn", "shortcut.0");
    var layers = new ArrayList<Child>();
    layers.add(
        new Child("conv1", norm.weighted(Conv2d.of(init, "conv1", input.channels(), width, 3, 1))));
    int in = width;
    int height = input.height();
    int wide = input.width();
    for (int stage = 1; stage <= 3; stage++) {
      int inner = Math.multiplyExact(width, 1 << (stage - 1));
      String path = "layer" + stage;
      var blocks = new ArrayList<Child>();
      for (int i = 0; i < perStage(); i++) {
        int stride = stage > 1 && i == 0 ? 2 : 1;
        boolean first = stage == 1 && i == 0;
        Layer block = make.block(path + "." + i, in, inner, stride, height, wide, first);
        blocks.add(new Child(Integer.toString(i), block));
        in = make.out(inner);
        height = (height + stride - 1) / stride;
        wide = (wide + stride - 1) / stride;
      }
      layers.add(new Child(path, new Chain(blocks)));
    }
    layers.add(new Child("bn", norm.layer(in, height, wide)));
    layers.add(new Child("relu", new Relu()));
    layers.add(new Child("pool", new GlobalAveragePool()));
    if (dropout > 0) {
      layers.add(new Child("dropout", new Dropout(dropout, "dropout")));
    }
    layers.add(new Child("linear", Dense.of(init, "linear", in, classes)));
    return new Chain(layers);
  }
}
