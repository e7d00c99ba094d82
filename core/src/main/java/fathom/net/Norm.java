package fathom.net;

import fathom.Layer;
import fathom.Param;
import fathom.nn.AnchoredNorm;
import fathom.nn.BatchNorm;
import fathom.nn.Bias;
import fathom.nn.Conv2d;
import fathom.nn.GroupNorm;
import fathom.nn.LayerNorm;
import fathom.nn.RmsNorm;
import fathom.nn.StandardizedConv2d;
import fathom.nn.WeightNorm;

/// The normalization that a net uses in all its places.
public enum Norm {
  /// Batch norm: per channel over the batch.
  BATCH,
  /// Layer norm: per image over channels, height and width; for a dense layer over its features.
  LAYER,
  /// As [#LAYER], with a trained number for each channel added before it, so that the size of the
  /// activations is not lost. Its gains are per channel, so that images may have any size; see
  /// [fathom.nn.AnchoredNorm].
  ANCHORED,
  /// Layer norm per pixel over the channels; for a dense layer over its features.
  POSITION,
  /// RMS norm: as [#LAYER], without subtracting the mean.
  RMS,
  /// Group norm: per image and group of channels. The groups have equal sizes, and their number is
  /// the greatest common divisor of 8 and the number of channels.
  GROUP,
  /// Instance norm: per image and channel. It does not apply to dense layers, whose features it
  /// would normalise one by one, so that nothing would be left.
  INSTANCE,
  /// Weight norm: of the weights instead of the activations, with a bias in the places of the other
  /// norms.
  WEIGHT,
  /// Weight standardization of every convolution, and group norm of 32 groups behind it, as in the
  /// nets of BiT (Kolesnikov et al. 2020, section 3.1); of fewer channels the groups are as many as
  /// the greatest common divisor of 32 and the channels. It is for convolutions alone.
  STANDARDIZED,
  /// No normalization: a bias alone.
  NONE;

  /// Returns the layer behind a convolution whose output images have this size.
  Layer layer(int channels, int height, int width) {
    return switch (this) {
      case BATCH -> BatchNorm.of(channels);
      case LAYER -> LayerNorm.of(channels, height, width);
      case ANCHORED -> AnchoredNorm.ofImages(channels);
      case POSITION -> LayerNorm.ofPosition(channels);
      case RMS -> RmsNorm.of(channels, height, width);
      case GROUP -> GroupNorm.of(groups(channels), channels);
      case STANDARDIZED -> GroupNorm.of(gcd(32, channels), channels);
      case INSTANCE -> GroupNorm.instance(channels);
      case WEIGHT, NONE -> Bias.of(channels);
    };
  }

  /// Returns the same layer with gains of zero, so that it begins as its biases alone, which are
  /// zero.
  Layer zeroLayer(int channels, int height, int width) {
    Layer layer = layer(channels, height, width);
    Param gain = layer.state().get("weight");
    if (gain == null) {
      throw new IllegalStateException("checked when the net was made");
    }
    gain.value().zero_();
    return layer;
  }

  /// Throws `IllegalArgumentException` if residual branches are to begin as zero, but there are
  /// none or this norm at their end has no gains.
  void checkZero(Shortcut shortcut, boolean zeroInit) {
    if (zeroInit && (shortcut == Shortcut.NONE || this == WEIGHT || this == NONE)) {
      throw new IllegalArgumentException(
          "`zeroInit` sets the gains of the norm that ends a residual branch to zero, but with shortcut %s and norm %s there are none; leave it out"
              .formatted(shortcut, this));
    }
  }

  /// Returns the layer behind a dense layer. Throws `IllegalArgumentException` if the norm would
  /// normalise each feature by itself.
  Layer layer(int features) {
    return switch (this) {
      case BATCH -> BatchNorm.of(features);
      case LAYER, POSITION -> LayerNorm.of(features);
      case ANCHORED -> AnchoredNorm.ofFeatures(features);
      case RMS -> RmsNorm.of(features);
      case GROUP -> {
        if (groups(features) == features) {
          throw singles("group", features);
        }
        yield GroupNorm.of(groups(features), features);
      }
      case INSTANCE -> throw singles("instance", features);
      case STANDARDIZED ->
          throw new IllegalArgumentException(
              "standardized norm is for convolutions, but was asked for behind a dense layer of %s features; use layer norm"
                  .formatted(features));
      case WEIGHT, NONE -> Bias.of(features);
    };
  }

  private static IllegalArgumentException singles(String norm, int features) {
    return new IllegalArgumentException(
        "%s norm would normalise each of the %s features of a dense layer for itself, and nothing would be left; use layer norm"
            .formatted(norm, features));
  }

  /// Returns the convolution or dense layer before the norm in the form that this normalization
  /// needs.
  Layer weighted(Layer layer) {
    return switch (this) {
      case WEIGHT -> WeightNorm.of(layer);
      case STANDARDIZED -> layer instanceof Conv2d conv ? StandardizedConv2d.of(conv) : layer;
      default -> layer;
    };
  }

  private static int groups(int channels) {
    return gcd(8, channels);
  }

  private static int gcd(int a, int b) {
    return b == 0 ? a : gcd(b, a % b);
  }
}
