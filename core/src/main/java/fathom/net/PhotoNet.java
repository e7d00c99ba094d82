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
/// As in torchvision and in all published weights that have its names, the stride is in the 3×3
/// convolution and not in the first 1×1 convolution, as the paper has it ([Form#strideIn]); this
/// takes as many parameters and more multiply-adds, and has a lower error. Where dimensions change,
/// the shortcut is a projection, option B.
///
/// A name with a `d` at its end is ResNet-D (He et al. 2019, "Bag of tricks", figure 2): three 3×3
/// convolutions with W/2, W/2 and W channels instead of the 7×7, and projections whose stride is an
/// average pool before the 1×1 convolution, which otherwise would not see three pixels of four.
///
/// The names resnet18, 34, 50, 101 and 152 mean these nets, as everywhere else, although 50 and 152
/// are depths of the form 6n + 2 too. plain18 and plain34 are these nets without shortcuts. plain50
/// is a [CifarNet], because there is no plain bottleneck.
///
/// Every stride rounds up, so images of any size pass; for images smaller than 33×33 the last stage
/// sees one pixel. Parameters have torchvision's names: `conv1.weight`, `layer1.0.conv1.weight`,
/// `layer2.0.downsample.0.weight`, `fc.bias`; those of ResNet-D timm's: `conv1.0.weight`,
/// `layer2.0.downsample.1.weight`.
///
/// @param depth 18, 34, 50, 101 or 152
/// @param width W, the channels of the first stage; 64 in the paper
/// @param input the shape of the images
/// @param dropout the probability with which a training step drops an activation before the dense
///   layer; 0 in the paper
/// @param form what else distinguishes it from the paper's
public record PhotoNet(
    int depth,
    Shortcut shortcut,
    Norm norm,
    int width,
    ImageShape input,
    int classes,
    double dropout,
    Form form)
    implements Architecture.Convolutional {
  /// The number of blocks of each stage, by depth (table 1).
  private static final SequencedMap<Integer, List<Integer>> BLOCKS = table();

  /// What later nets change in the one of the paper.
  ///
  /// @param tricks whether it is ResNet-D: a stem of 3×3 convolutions, and projections over average
  ///   pools
  /// @param strideIn the side of the kernel that has a bottleneck's stride: 3, or 1 as in the paper
  /// @param zeroInit whether the last norm of each residual branch begins with gains of zero
  public record Form(boolean tricks, int strideIn, boolean zeroInit) {
    /// The form of the published weights.
    public static final Form USUAL = new Form(false, 3, false);

    /// Throws `IllegalArgumentException` if the stride is in neither kernel.
    public Form {
      if (strideIn != 1 && strideIn != 3) {
        throw new IllegalArgumentException(
            "the stride of a bottleneck is in its 1×1 or its 3×3 convolution, but was to be in one of side "
                + strideIn);
      }
    }
  }

  private static final int FIRST_BOTTLENECK = 50;

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
    norm.checkZero(shortcut, form.zeroInit);
    if (form.tricks && (shortcut == Shortcut.NONE || width % 2 != 0)) {
      throw new IllegalArgumentException(
          "the stem of resnet%sd has half of an even width, and its blocks have shortcuts, but width %s and shortcut %s were asked for"
              .formatted(depth, width, shortcut));
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
    this(depth, shortcut, norm, width, input, classes, 0, Form.USUAL);
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
    depths().forEach(depth -> names.add("resnet" + depth + "d"));
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
    boolean tricks = plain.endsWith("d");
    return new PhotoNet(
        Integer.parseInt(plain.replaceAll("[a-z]", "")),
        shortcuts ? Shortcut.B : Shortcut.NONE,
        Norm.BATCH,
        64,
        new ImageShape(3, 224, 224),
        1000,
        0,
        new Form(tricks, 3, false));
  }

  @Override
  public int photos() {
    return input.height();
  }

  /// For example `resnet50` or `plain34`.
  @Override
  public String name() {
    return (shortcut == Shortcut.NONE ? "plain" : "resnet") + depth + (form.tricks ? "d" : "");
  }

  /// Whether its blocks are bottlenecks.
  boolean isBottleneck() {
    return bottleneck(depth);
  }

  @Override
  public List<String> stages() {
    return List.of("layer1", "layer2", "layer3", "layer4");
  }

  @Override
  public int blocks() {
    return blocksOfStages().stream().mapToInt(Integer::intValue).sum();
  }

  private List<Integer> blocksOfStages() {
    return BLOCKS.getOrDefault(depth, List.of());
  }

  @Override
  public Options options() {
    return Options.of(this, dropout, form.strideIn, form.zeroInit);
  }

  @Override
  public PhotoNet withShortcut(Shortcut shortcut) {
    return new PhotoNet(depth, shortcut, norm, width, input, classes, dropout, form);
  }

  @Override
  public PhotoNet withNorm(Norm norm) {
    return new PhotoNet(depth, shortcut, norm, width, input, classes, dropout, form);
  }

  @Override
  public PhotoNet withWidth(int width) {
    return new PhotoNet(depth, shortcut, norm, width, input, classes, dropout, form);
  }

  @Override
  public PhotoNet withDropout(double dropout) {
    return new PhotoNet(depth, shortcut, norm, width, input, classes, dropout, form);
  }

  @Override
  public PhotoNet withZeroInit(boolean zeroInit) {
    return with(new Form(form.tricks, form.strideIn, zeroInit));
  }

  /// Returns this net with the stride of each bottleneck in its 3×3 convolution (3) or in its first
  /// 1×1 convolution (1), as the paper has it. Weights of one net fit the other but do not give its
  /// results. Throws `IllegalArgumentException` for another number.
  public PhotoNet withStrideIn(int strideIn) {
    return with(new Form(form.tricks, strideIn, form.zeroInit));
  }

  private PhotoNet with(Form form) {
    return new PhotoNet(depth, shortcut, norm, width, input, classes, dropout, form);
  }

  @Override
  public PhotoNet on(ImageShape input, int classes) {
    return new PhotoNet(depth, shortcut, norm, width, input, classes, dropout, form);
  }

  @Override
  public Layer build(Init init) {
    int height = half(input.height());
    int wide = half(input.width());
    var layers = new ArrayList<Child>();
    layers.add(new Child("conv1", form.tricks ? deepStem(init, height, wide) : stem(init)));
    layers.add(new Child("bn1", norm.layer(width, height, wide)));
    layers.add(new Child("relu", new Relu()));
    layers.add(new Child("maxpool", new MaxPool2d(3, 2, 1)));
    height = half(height);
    wide = half(wide);
    int in = width;
    List<Integer> stages = blocksOfStages();
    for (int stage = 0; stage < stages.size(); stage++) {
      int inner = Math.multiplyExact(width, 1 << stage);
      String path = "layer" + (stage + 1);
      var blocks = new ArrayList<Child>();
      for (int i = 0; i < stages.get(stage); i++) {
        int stride = stage > 0 && i == 0 ? 2 : 1;
        var block =
            new PhotoBlock(
                init, path + "." + i, norm, in, inner, stride, height, wide, shortcut, form);
        blocks.add(
            new Child(Integer.toString(i), bottleneck(depth) ? block.bottleneck() : block.basic()));
        in = bottleneck(depth) ? PhotoBlock.EXPANSION * inner : inner;
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

  private Layer stem(Init init) {
    return norm.weighted(Conv2d.of(init, "conv1", input.channels(), width, 7, 2));
  }

  /// Returns the stem of ResNet-D, whose images behind its first convolution have this size.
  private Layer deepStem(Init init, int height, int wide) {
    int half = width / 2;
    return Chain.of(
        norm.weighted(Conv2d.of(init, "conv1.0", input.channels(), half, 3, 2)),
        norm.layer(half, height, wide),
        new Relu(),
        norm.weighted(Conv2d.of(init, "conv1.3", half, half, 3, 1)),
        norm.layer(half, height, wide),
        new Relu(),
        norm.weighted(Conv2d.of(init, "conv1.6", half, width, 3, 1)));
  }

  /// Returns the side of an image behind a convolution or pool of odd size at stride 2.
  static int half(int side) {
    return (side + 1) / 2;
  }
}
