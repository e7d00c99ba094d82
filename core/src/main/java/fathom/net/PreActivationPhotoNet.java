package fathom.net;

import fathom.Layer;
import fathom.Layer.Child;
import fathom.nn.Chain;
import fathom.nn.Conv2d;
import fathom.nn.Dense;
import fathom.nn.Dropout;
import fathom.nn.GlobalAveragePool;
import fathom.nn.Init;
import fathom.nn.MaxPool2d;
import fathom.nn.Relu;
import fathom.nn.ZeroPad2d;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;

/// A pre-activation net for photos (He et al. 2016b, section 5): a [PhotoNet] whose norms and ReLUs
/// stand before the convolutions, with one more of each before the average pool and none behind the
/// first convolution ([PreActivation]). `preresnet50` has these blocks with batch norm.
///
/// `resnetv2_50x1` and its wider and deeper kin are the nets of BiT (Kolesnikov et al. 2020, "Big
/// transfer", section 3.1): the same with [Norm#STANDARDIZED], W = 64·K channels for `...xK`, and a
/// max pool in the stem that sees zeros around the image instead of nothing. Behind a convolution
/// without ReLU this makes a difference where all pixels of a window are negative.
///
/// Parameters have the names that timm gives to its `resnetv2` nets: `stem.conv.weight`,
/// `stages.0.blocks.0.norm1.weight`, `stages.0.blocks.0.conv1.weight`,
/// `stages.0.blocks.0.downsample.conv.weight`, `norm.weight`, `head.fc.bias`. timm's `head.fc` is a
/// 1×1 convolution, whose weight has two more dimensions of size 1.
///
/// @param depth 18, 34, 50, 101, 152 or 200
/// @param factor K of a net of BiT; 0 for the other nets
/// @param width W, the channels of the first stage
/// @param input the shape of the images
/// @param dropout the probability with which a training step drops an activation before the dense
///   layer
/// @param zeroInit whether the last convolution of each branch begins with zeros, so that the net
///   begins without its branches
public record PreActivationPhotoNet(
    int depth,
    int factor,
    Shortcut shortcut,
    Norm norm,
    int width,
    ImageShape input,
    int classes,
    double dropout,
    boolean zeroInit)
    implements Architecture.Convolutional {
  /// The number of blocks of each stage, by depth.
  private static final SequencedMap<Integer, List<Integer>> BLOCKS = table();

  /// The nets of BiT (table 1 of its code), depth and factor.
  private static final List<String> BIT =
      List.of("50x1", "50x3", "101x1", "101x3", "152x2", "152x4");

  private static final int FIRST_BOTTLENECK = 50;
  private static final int USUAL_WIDTH = 64;

  /// Throws `IllegalArgumentException` if there is no net of this depth and factor, if the net is
  /// to have no shortcuts, or if a size is below 1.
  public PreActivationPhotoNet {
    if (!BLOCKS.containsKey(depth) || (factor != 0 && !BIT.contains(depth + "x" + factor))) {
      throw new IllegalArgumentException(
          "a pre-activation net for photos is one of %s, but depth %s and factor %s were asked for"
              .formatted(names(), depth, factor));
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

  private static SequencedMap<Integer, List<Integer>> table() {
    var blocks = new LinkedHashMap<Integer, List<Integer>>();
    blocks.put(18, List.of(2, 2, 2, 2));
    blocks.put(34, List.of(3, 4, 6, 3));
    blocks.put(50, List.of(3, 4, 6, 3));
    blocks.put(101, List.of(3, 4, 23, 3));
    blocks.put(152, List.of(3, 8, 36, 3));
    blocks.put(200, List.of(3, 24, 36, 3));
    return Collections.unmodifiableSequencedMap(blocks);
  }

  /// The depths that there are.
  static List<Integer> depths() {
    return List.copyOf(BLOCKS.keySet());
  }

  /// The names that [#named] accepts.
  public static List<String> names() {
    var names = new ArrayList<String>();
    depths().forEach(depth -> names.add("preresnet" + depth));
    BIT.forEach(size -> names.add("resnetv2_" + size));
    return names;
  }

  /// The names that a list shows: of BiT the two that a machine without accelerators can train.
  static List<String> listed() {
    return names().stream().filter(name -> !name.matches("resnetv2_.*x[2-9]")).toList();
  }

  /// Returns the net of this name, such as `preresnet50` or `resnetv2_50x1`, for 3×224×224 images
  /// of a thousand classes. Throws `IllegalArgumentException` with the known names if there is
  /// none.
  public static PreActivationPhotoNet named(String name) {
    String plain = name.toLowerCase(Locale.ROOT);
    if (!names().contains(plain)) {
      throw new IllegalArgumentException(
          "there is no pre-activation net \"%s\" for photos; there are %s"
              .formatted(name, String.join(", ", names())));
    }
    boolean big = plain.startsWith("resnetv2_");
    int[] sizes =
        Arrays.stream(plain.replaceFirst("^(preresnet|resnetv2_)", "").split("x", -1))
            .mapToInt(Integer::parseInt)
            .toArray();
    return new PreActivationPhotoNet(
        sizes[0],
        big ? sizes[1] : 0,
        Shortcut.B,
        big ? Norm.STANDARDIZED : Norm.BATCH,
        big ? USUAL_WIDTH * sizes[1] : USUAL_WIDTH,
        new ImageShape(3, 224, 224),
        1000,
        0,
        false);
  }

  @Override
  public int photos() {
    return input.height();
  }

  /// For example `preresnet50` or `resnetv2_50x1`.
  @Override
  public String name() {
    return factor == 0 ? "preresnet" + depth : "resnetv2_" + depth + "x" + factor;
  }

  private List<Integer> blocksOfStages() {
    return BLOCKS.getOrDefault(depth, List.of());
  }

  @Override
  public int blocks() {
    return blocksOfStages().stream().mapToInt(Integer::intValue).sum();
  }

  @Override
  public List<String> stages() {
    return List.of("stages.0.blocks", "stages.1.blocks", "stages.2.blocks", "stages.3.blocks");
  }

  @Override
  public Options options() {
    return Options.of(this, dropout, 3, zeroInit);
  }

  private PreActivationPhotoNet with(
      Shortcut shortcut, Norm norm, int width, double dropout, boolean zeroInit) {
    return new PreActivationPhotoNet(
        depth, factor, shortcut, norm, width, input, classes, dropout, zeroInit);
  }

  @Override
  public PreActivationPhotoNet withShortcut(Shortcut shortcut) {
    return with(shortcut, norm, width, dropout, zeroInit);
  }

  @Override
  public PreActivationPhotoNet withNorm(Norm norm) {
    return with(shortcut, norm, width, dropout, zeroInit);
  }

  @Override
  public PreActivationPhotoNet withWidth(int width) {
    return with(shortcut, norm, width, dropout, zeroInit);
  }

  @Override
  public PreActivationPhotoNet withDropout(double dropout) {
    return with(shortcut, norm, width, dropout, zeroInit);
  }

  @Override
  public PreActivationPhotoNet withZeroInit(boolean zeroInit) {
    return with(shortcut, norm, width, dropout, zeroInit);
  }

  @Override
  public PreActivationPhotoNet on(ImageShape input, int classes) {
    return new PreActivationPhotoNet(
        depth, factor, shortcut, norm, width, input, classes, dropout, zeroInit);
  }

  @Override
  public Layer build(Init init) {
    boolean bottleneck = depth >= FIRST_BOTTLENECK;
    var make =
        new PreActivation(init, norm, shortcut, bottleneck, zeroInit, "norm", "downsample.conv");
    var layers = new ArrayList<Child>();
    layers.add(
        new Child(
            "stem.conv",
            norm.weighted(Conv2d.of(init, "stem.conv", input.channels(), width, 7, 2))));
    if (factor > 0) {
      layers.add(new Child("stem.pad", new ZeroPad2d(1)));
    }
    layers.add(new Child("stem.pool", new MaxPool2d(3, 2, factor > 0 ? 0 : 1)));
    int in = width;
    int height = half(half(input.height()));
    int wide = half(half(input.width()));
    List<Integer> counts = blocksOfStages();
    for (int stage = 0; stage < counts.size(); stage++) {
      int inner = Math.multiplyExact(width, 1 << stage);
      String path = stages().get(stage);
      var blocks = new ArrayList<Child>();
      for (int i = 0; i < counts.get(stage); i++) {
        int stride = stage > 0 && i == 0 ? 2 : 1;
        Layer block = make.block(path + "." + i, in, inner, stride, height, wide, false);
        blocks.add(new Child(Integer.toString(i), block));
        in = make.out(inner);
        height = stride == 1 ? height : half(height);
        wide = stride == 1 ? wide : half(wide);
      }
      layers.add(new Child(path, new Chain(blocks)));
    }
    layers.add(new Child("norm", norm.layer(in, height, wide)));
    layers.add(new Child("relu", new Relu()));
    layers.add(new Child("pool", new GlobalAveragePool()));
    if (dropout > 0) {
      layers.add(new Child("dropout", new Dropout(dropout, "dropout")));
    }
    layers.add(new Child("head.fc", Dense.of(init, "head.fc", in, classes)));
    return new Chain(layers);
  }

  /// Returns the side of an image behind a convolution or pool of odd size at stride 2.
  private static int half(int side) {
    return (side + 1) / 2;
  }
}
