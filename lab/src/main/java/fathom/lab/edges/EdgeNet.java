package fathom.lab.edges;

import fathom.Layer;
import fathom.Layer.Child;
import fathom.Param;
import fathom.nn.AnchoredNorm;
import fathom.nn.BatchNorm;
import fathom.nn.Bias;
import fathom.nn.Chain;
import fathom.nn.Conv2d;
import fathom.nn.DynamicTanh;
import fathom.nn.GroupNorm;
import fathom.nn.Init;
import fathom.nn.LayerNorm;
import fathom.nn.Relu;
import fathom.nn.Residual;
import fathom.nn.WithMoments;
import java.util.List;

/// The nets that the experiments on edges compare. A net labels each pixel of N×1×S×S as outline or
/// not: three 3×3 convolutions to `width` channels, each followed by a norm and a rectifier, and a
/// 1×1 convolution with a bias to two scores. A score depends on 7×7 pixels, and through a layer
/// norm also on the moments of the whole image.
///
/// Layer norm is over all channels and pixels of an image, with a gain and a bias for each channel
/// (group norm with one group), so that all arms have about as many parameters. The paper's gains
/// for each pixel would be more than all weights.
enum EdgeNet {
  NONE("no norm"),
  BATCH("batch norm"),
  LAYER("layer norm"),
  /// A bias for each channel before the norm; it starts at 0.
  BIAS("bias, layer norm"),
  /// The mean and the standard deviation of the layer as two more channels behind the norm.
  MOMENTS("layer norm and its moments"),
  /// The norm stands in the branches of a residual net, and the scores are computed from its
  /// stream.
  STREAM("layer norm in branches"),
  TANH("dynamic tanh");

  private final String words;

  EdgeNet(String words) {
    this.words = words;
  }

  Layer build(Init init, int width, int side) {
    if (this == STREAM) {
      return new Chain(
          List.of(
              new Child("conv1", Conv2d.of(init, "conv1", 1, width, 3, 1)),
              new Child("bias1", Bias.of(width)),
              new Child("block2", new Residual(branch(init, "block2", width))),
              new Child("block3", new Residual(branch(init, "block3", width))),
              new Child("relu", new Relu()),
              new Child("head", head(init, width))));
    }
    return new Chain(
        List.of(
            new Child("conv1", Conv2d.of(init, "conv1", 1, width, 3, 1)),
            new Child("norm1", norm(width, side)),
            new Child("relu1", new Relu()),
            new Child("conv2", Conv2d.of(init, "conv2", more(width), width, 3, 1)),
            new Child("norm2", norm(width, side)),
            new Child("relu2", new Relu()),
            new Child("conv3", Conv2d.of(init, "conv3", more(width), width, 3, 1)),
            new Child("norm3", norm(width, side)),
            new Child("relu3", new Relu()),
            new Child("head", head(init, more(width)))));
  }

  /// Returns the number of channels behind a norm.
  private int more(int width) {
    return this == MOMENTS ? width + 2 : width;
  }

  private static Layer branch(Init init, String path, int width) {
    return Chain.of(
        GroupNorm.of(1, width), new Relu(), Conv2d.of(init.in(path), "2", width, width, 3, 1));
  }

  private static Layer head(Init init, int in) {
    return Chain.of(Conv2d.of(init.in("head"), "0", in, 2, 1, 1), Bias.of(2));
  }

  private Layer norm(int width, int side) {
    return switch (this) {
      case NONE -> Bias.of(width);
      case BATCH -> BatchNorm.of(width);
      case LAYER -> GroupNorm.of(1, width);
      case BIAS -> AnchoredNorm.ofImages(width);
      case MOMENTS ->
          Chain.of(new WithMoments(LayerNorm.plain(width, side, side)), Bias.of(width + 2));
      case TANH -> DynamicTanh.of(0.5, width);
      case STREAM -> throw new AssertionError("its norms stand in its branches");
    };
  }

  /// Returns the number of trained parameters of a net.
  static double parameters(Layer net) {
    double sum = 0;
    for (Param param : net.params()) {
      sum += param.value().shape().elements();
    }
    return sum;
  }

  @Override
  public String toString() {
    return words;
  }
}
