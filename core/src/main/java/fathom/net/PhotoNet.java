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
import fathom.nn.Residual;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;

/// A net of the residual paper's ImageNet experiments (He et al. 2016, table 1). It has a 7×7
/// convolution at stride 2, a 3×3 max pool at stride 2, four stages of blocks with W, 2W, 4W and 8W
/// channels, a global average pool and a dense layer. Each stage after the first halves the image
/// size.
///
/// With 18 and 34 layers a block is two 3×3 convolutions. With 50, 101 and 152 layers it is a
/// bottleneck: a 1×1, a 3×3 and a 1×1 convolution, the last of which gives four times the channels.
/// As in torchvision, the stride is in the 3×3 convolution and not in the first 1×1 convolution, as
/// the paper has it; this takes as many parameters and more multiply-adds, and has a lower error.
/// Where dimensions change, the shortcut is a projection, option B.
///
/// The names resnet18, 34, 50, 101 and 152 mean these nets, as everywhere else, although 50 and 152
/// are depths of the form 6n + 2 too. plain18 and plain34 are these nets without shortcuts. plain50
/// is a [CifarNet], because there is no plain bottleneck.
///
/// Every stride rounds up, so images of any size pass; for images smaller than 33×33 the last stage
/// sees one pixel. Parameters have torchvision's names: `conv1.weight`, `layer1.0.conv1.weight`,
/// `layer2.0.downsample.0.weight`, `fc.bias`.
///
/// @param depth 18, 34, 50, 101 or 152
/// @param width W, the channels of the first stage; 64 in the paper
/// @param input the shape of the images
/// @param dropout the probability with which a training step drops an activation before the dense
///   layer; 0 in the paper
public record PhotoNet(
    int depth,
    Shortcut shortcut,
    Norm norm,
    int width,
    ImageShape input,
    int classes,
    double dropout)
    implements Architecture.Convolutional {
  /// The number of blocks of each stage, by depth (table 1).
  private static final SequencedMap<Integer, List<Integer>> BLOCKS = table();

  private static final int FIRST_BOTTLENECK = 50;
  private static final int EXPANSION = 4;

  /// Throws `IllegalArgumentException` if there is no net of this depth, a bottleneck net is to
  /// have no shortcuts, or a size is below 1.
  public PhotoNet {
    if (!BLOCKS.containsKey(depth)) {
      throw new IllegalArgumentException(
          "a net for photos has one of the depths %s, but %s was asked for"
              .formatted(depths(), depth));
    }
    if (shortcut == Shortcut.NONE && bottleneck(depth)) {
      throw new IllegalArgumentException(
          "a bottleneck net has shortcuts, but resnet%s was asked for without; plain18 and plain34 have none"
              .formatted(depth));
    }
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
  public PhotoNet(
      int depth, Shortcut shortcut, Norm norm, int width, ImageShape input, int classes) {
    this(depth, shortcut, norm, width, input, classes, 0);
  }

  private static SequencedMap<Integer, List<Integer>> table() {
    var blocks = new LinkedHashMap<Integer, List<Integer>>();
    blocks.put(18, List.of(2, 2, 2, 2));
    blocks.put(34, List.of(3, 4, 6, 3));
    blocks.put(50, List.of(3, 4, 6, 3));
    blocks.put(101, List.of(3, 4, 23, 3));
    blocks.put(152, List.of(3, 8, 36, 3));
    return Collections.unmodifiableSequencedMap(blocks);
  }

  /// The depths of the paper's table 1.
  public static List<Integer> depths() {
    return List.copyOf(BLOCKS.keySet());
  }

  /// The names that [#named] accepts.
  public static List<String> names() {
    var names = new ArrayList<String>();
    depths().forEach(depth -> names.add("resnet" + depth));
    depths().stream().filter(depth -> !bottleneck(depth)).forEach(d -> names.add("plain" + d));
    return names;
  }

  /// Whether the residual net of this depth has bottleneck blocks and hence no plain twin.
  static boolean bottleneck(int depth) {
    return BLOCKS.containsKey(depth) && depth >= FIRST_BOTTLENECK;
  }

  /// Returns the net of this name, such as `resnet50` or `plain34`: option B or no shortcut, batch
  /// norm, 64 channels, 3×224×224 images of a thousand classes. Throws `IllegalArgumentException`
  /// with the known names if there is none.
  public static PhotoNet named(String name) {
    String plain = name.toLowerCase(Locale.ROOT);
    if (!names().contains(plain)) {
      throw new IllegalArgumentException(
          "there is no model \"%s\" for photos; there are %s"
              .formatted(name, String.join(", ", names())));
    }
    boolean shortcuts = plain.startsWith("resnet");
    return new PhotoNet(
        Integer.parseInt(plain.substring((shortcuts ? "resnet" : "plain").length())),
        shortcuts ? Shortcut.B : Shortcut.NONE,
        Norm.BATCH,
        64,
        new ImageShape(3, 224, 224),
        1000);
  }

  @Override
  public int photos() {
    return input.height();
  }

  /// For example `resnet50` or `plain34`.
  @Override
  public String name() {
    return (shortcut == Shortcut.NONE ? "plain" : "resnet") + depth;
  }

  @Override
  public int blocks() {
    return stages().stream().mapToInt(Integer::intValue).sum();
  }

  private List<Integer> stages() {
    return BLOCKS.getOrDefault(depth, List.of());
  }

  @Override
  public Options options() {
    return new Options(shortcut, norm, width, null, null, dropout);
  }

  @Override
  public PhotoNet withShortcut(Shortcut shortcut) {
    return new PhotoNet(depth, shortcut, norm, width, input, classes, dropout);
  }

  @Override
  public PhotoNet withNorm(Norm norm) {
    return new PhotoNet(depth, shortcut, norm, width, input, classes, dropout);
  }

  @Override
  public PhotoNet withWidth(int width) {
    return new PhotoNet(depth, shortcut, norm, width, input, classes, dropout);
  }

  @Override
  public PhotoNet withDropout(double dropout) {
    return new PhotoNet(depth, shortcut, norm, width, input, classes, dropout);
  }

  @Override
  public PhotoNet on(ImageShape input, int classes) {
    return new PhotoNet(depth, shortcut, norm, width, input, classes, dropout);
  }

  @Override
  public Layer build(Init init) {
    int height = half(input.height());
    int wide = half(input.width());
    var layers = new ArrayList<Child>();
    layers.add(
        new Child("conv1", norm.weighted(Conv2d.of(init, "conv1", input.channels(), width, 7, 2))));
    layers.add(new Child("bn1", norm.layer(width, height, wide)));
    layers.add(new Child("relu", new Relu()));
    layers.add(new Child("maxpool", new MaxPool2d(3, 2, 1)));
    height = half(height);
    wide = half(wide);
    int in = width;
    List<Integer> stages = stages();
    for (int stage = 0; stage < stages.size(); stage++) {
      int inner = Math.multiplyExact(width, 1 << stage);
      String path = "layer" + (stage + 1);
      var blocks = new ArrayList<Child>();
      for (int i = 0; i < stages.get(stage); i++) {
        int stride = stage > 0 && i == 0 ? 2 : 1;
        var block =
            new Block(init, path + "." + i, norm, in, inner, stride, height, wide, shortcut);
        blocks.add(
            new Child(Integer.toString(i), bottleneck(depth) ? block.bottleneck() : block.basic()));
        in = bottleneck(depth) ? EXPANSION * inner : inner;
        height = block.outHeight();
        wide = block.outWidth();
      }
      layers.add(new Child(path, new Chain(blocks)));
    }
    layers.add(new Child("avgpool", new GlobalAveragePool()));
    if (dropout > 0) {
      layers.add(new Child("dropout", new Dropout(dropout, "dropout")));
    }
    layers.add(new Child("fc", Dense.of(init, "fc", in, classes)));
    return new Chain(layers);
  }

  /// Returns the side of an image behind a convolution or pool of odd size at stride 2.
  private static int half(int side) {
    return (side + 1) / 2;
  }

  /// The parts from which a block is built. It maps `in` channels of images of this size to `inner`
  /// channels, or to four times as many if it is a bottleneck.
  private record Block(
      Init init,
      String path,
      Norm norm,
      int in,
      int inner,
      int stride,
      int height,
      int width,
      Shortcut shortcut) {
    int outHeight() {
      return stride == 1 ? height : half(height);
    }

    int outWidth() {
      return stride == 1 ? width : half(width);
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
      add(branch, 1, in, inner, 1, 1, height, width);
      branch.add(new Child("relu1", new Relu()));
      add(branch, 2, inner, inner, 3, stride, outHeight(), outWidth());
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
      var relu = new Child(rectifier, new Relu());
      if (shortcut == Shortcut.NONE) {
        branch.add(relu);
        return new Chain(branch);
      }
      String name = "downsample";
      Layer past =
          shortcut.layer(init, path + "." + name, norm, in, out, stride, outHeight(), outWidth());
      var residual = new Residual(new Chain(branch), past, name);
      return new Chain(List.of(new Child("", residual), relu));
    }
  }
}
