package fathom.net;

import fathom.Layer;
import fathom.Layer.Child;
import fathom.nn.Bias;
import fathom.nn.Chain;
import fathom.nn.Conv2d;
import fathom.nn.Init;
import fathom.nn.Relu;
import fathom.nn.Residual;
import fathom.nn.Upsample2d;
import java.util.ArrayList;
import java.util.List;

/// A net that gives every pixel of an image a logit for each class. An encoder halves the image
/// `levels` times, and a decoder enlarges it again. Shortcut connections lead from each size of the
/// encoder to the same size of the decoder, so that details that the coarse levels lose still reach
/// the result.
///
/// These shortcuts across are ordinary residual connections. A level consists of `blocks` residual
/// blocks, then x + up(level below(down(x))), then as many blocks again. `down` is a 3×3
/// convolution at stride 2 to twice the channels; `up` doubles the size and halves the channels.
/// Without shortcuts ([Shortcut#NONE]) the blocks are plain and nothing leads across; this is the
/// plain net that the residual paper compares residual nets with.
///
/// Image sizes are multiples of 2^levels ([#multiple()]); the net is the same for all sizes.
/// Parameters are named `conv1.weight`, `level1.encoder.0.conv1.weight`, `level1.down.weight`, ...,
/// `head.weight`, `head.bias`.
///
/// @param levels how many times the image is halved, 0 to 8
/// @param blocks the number of residual blocks before and after each shortcut across
/// @param width the channels of the first level
/// @param norm the normalization, one that does not need the image size
/// @param shortcuts whether there are shortcut connections, in the blocks and across
/// @param channels the channels of the images
public record MaskNet(
    int levels, int blocks, int width, Norm norm, boolean shortcuts, int channels, int classes)
    implements Architecture.OfMasks {
  /// The image side in pixels that [#input()] reports; the net itself accepts any multiple of
  /// [#multiple()].
  private static final int USUAL_SIDE = 96;

  /// Throws `IllegalArgumentException` if a size is out of range or the norm has a gain for each
  /// pixel.
  public MaskNet {
    if (levels < 0 || levels > 8 || blocks < 1 || width < 1 || channels < 1 || classes < 1) {
      throw new IllegalArgumentException(
          "levels are 0 to 8, and blocks, width, channels and classes at least 1, but they are %s, %s, %s, %s and %s"
              .formatted(levels, blocks, width, channels, classes));
    }
    if (norm == Norm.LAYER || norm == Norm.RMS) {
      throw new IllegalArgumentException(
          "a net for images of any size has no norm with a gain for each pixel, but %s norm was asked for; take batch, anchored, position, group, instance, weight or none"
              .formatted(norm));
    }
  }

  /// Returns a net of three levels with one block before and after each shortcut across, 16
  /// channels and batch norm.
  public static MaskNet of(int channels, int classes) {
    return new MaskNet(3, 1, 16, Norm.BATCH, true, channels, classes);
  }

  /// Returns this net with another number of levels.
  public MaskNet withLevels(int levels) {
    return new MaskNet(levels, blocks, width, norm, shortcuts, channels, classes);
  }

  /// Returns this net with another number of blocks before and after each shortcut across.
  public MaskNet withBlocks(int blocks) {
    return new MaskNet(levels, blocks, width, norm, shortcuts, channels, classes);
  }

  /// Returns this net with another number of channels in the first level.
  public MaskNet withWidth(int width) {
    return new MaskNet(levels, blocks, width, norm, shortcuts, channels, classes);
  }

  /// Returns this net with another normalization.
  public MaskNet withNorm(Norm norm) {
    return new MaskNet(levels, blocks, width, norm, shortcuts, channels, classes);
  }

  /// Returns the plain twin, which has as many parameters and no shortcut connections.
  public MaskNet plain() {
    return new MaskNet(levels, blocks, width, norm, false, channels, classes);
  }

  @Override
  public String name() {
    return shortcuts ? Architecture.MASKS : Architecture.PLAIN_MASKS;
  }

  /// The options of the net with one block before and after each shortcut across; the name stands
  /// for that number, so `blocks` is not among the options.
  @Override
  public Architecture.Options options() {
    return new Architecture.Options(null, norm, width, null, levels);
  }

  @Override
  public ImageShape input() {
    return new ImageShape(channels, USUAL_SIDE, USUAL_SIDE);
  }

  @Override
  public MaskNet on(ImageShape input, int classes) {
    return new MaskNet(levels, blocks, width, norm, shortcuts, input.channels(), classes);
  }

  @Override
  public int multiple() {
    return 1 << levels;
  }

  @Override
  public Layer build(Init init) {
    return new Chain(
        List.of(
            new Child("conv1", norm.weighted(Conv2d.of(init, "conv1", channels, width, 3, 1))),
            new Child("bn1", norm(width)),
            new Child("relu", new Relu()),
            new Child("level1", level(init, 1, width)),
            new Child(
                "head",
                new Chain(
                    List.of(
                        new Child("", Conv2d.of(init, "head", width, classes, 1, 1)),
                        new Child("", Bias.of(classes)))))));
  }

  /// Builds level `level`, whose input and output have `width` channels.
  private Layer level(Init init, int level, int width) {
    String path = path(level);
    var layers = new ArrayList<Child>();
    layers.add(new Child("encoder", blocks(init, path + ".encoder", width)));
    if (level <= levels) {
      int wide = 2 * width;
      var below = new ArrayList<Child>();
      below.add(
          new Child("down", norm.weighted(Conv2d.of(init, path + ".down", width, wide, 3, 2))));
      below.add(new Child("bn1", norm(wide)));
      below.add(new Child("relu1", new Relu()));
      below.add(new Child("level" + (level + 1), level(init, level + 1, wide)));
      below.add(new Child("up", norm.weighted(Conv2d.of(init, path + ".up", wide, width, 1, 1))));
      below.add(new Child("bn2", norm(width)));
      below.add(new Child("larger", new Upsample2d(2)));
      Layer branch = new Chain(below);
      layers.add(new Child("", shortcuts ? new Residual(branch) : branch));
      layers.add(new Child("relu", new Relu()));
      layers.add(new Child("decoder", blocks(init, path + ".decoder", width)));
    }
    return new Chain(layers);
  }

  /// Returns the path of level `level`; each level is inside the level above it.
  private static String path(int level) {
    var path = new StringBuilder("level1");
    for (int i = 2; i <= level; i++) {
      path.append(".level").append(i);
    }
    return path.toString();
  }

  private Layer blocks(Init init, String path, int width) {
    var all = new ArrayList<Child>();
    for (int i = 0; i < blocks; i++) {
      String at = path + "." + i;
      var branch =
          new Chain(
              List.of(
                  new Child(
                      "conv1", norm.weighted(Conv2d.of(init, at + ".conv1", width, width, 3, 1))),
                  new Child("bn1", norm(width)),
                  new Child("relu1", new Relu()),
                  new Child(
                      "conv2", norm.weighted(Conv2d.of(init, at + ".conv2", width, width, 3, 1))),
                  new Child("bn2", norm(width))));
      all.add(
          new Child(
              Integer.toString(i),
              new Chain(
                  List.of(
                      new Child("", shortcuts ? new Residual(branch) : branch),
                      new Child("relu2", new Relu())))));
    }
    return new Chain(all);
  }

  /// Returns the norm for these channels; the image size 1×1 is not used, because the constructor
  /// rejects norms that need a size.
  private Layer norm(int channels) {
    return norm.layer(channels, 1, 1);
  }
}
