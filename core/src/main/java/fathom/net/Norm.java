package fathom.net;

import fathom.Layer;
import fathom.nn.AnchoredNorm;
import fathom.nn.BatchNorm;
import fathom.nn.Bias;
import fathom.nn.GroupNorm;
import fathom.nn.LayerNorm;
import fathom.nn.RmsNorm;
import fathom.nn.WeightNorm;

/// Which normalization a net uses, everywhere.
public enum Norm {
  /// Per channel over the batch.
  BATCH,
  /// Per image over channels, height and width; of a dense layer over its features.
  LAYER,
  /// As [#LAYER], with a trained number for each channel before it, beside which the size of the
  /// activations is not lost, and gains for channels, so that images may have any size; see
  /// [fathom.nn.AnchoredNorm].
  ANCHORED,
  /// Per pixel over the channels; of a dense layer over its features.
  POSITION,
  /// As [#LAYER], without taking off the mean.
  RMS,
  /// Per image and group of channels, in as many groups of one size as there can be up to 8.
  GROUP,
  /// Per image and channel; not for dense layers, of whose features it would leave nothing.
  INSTANCE,
  /// Of the weights instead of the values, with a bias where the others stand.
  WEIGHT,
  /// None: a bias alone.
  NONE;

  /// What stands behind a convolution that gives images of this size.
  Layer layer(int channels, int height, int width) {
    return switch (this) {
      case BATCH -> BatchNorm.of(channels);
      case LAYER -> LayerNorm.of(channels, height, width);
      case ANCHORED -> AnchoredNorm.ofImages(channels);
      case POSITION -> LayerNorm.ofPosition(channels);
      case RMS -> RmsNorm.of(channels, height, width);
      case GROUP -> GroupNorm.of(groups(channels), channels);
      case INSTANCE -> GroupNorm.instance(channels);
      case WEIGHT, NONE -> Bias.of(channels);
    };
  }

  /// What stands behind a dense layer.
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
      case WEIGHT, NONE -> Bias.of(features);
    };
  }

  private static IllegalArgumentException singles(String norm, int features) {
    return new IllegalArgumentException(
        "%s norm would normalise each of the %s features of a dense layer for itself, and nothing would be left; use layer norm"
            .formatted(norm, features));
  }

  /// The layer before the norm, a convolution or a dense one, as this normalization has it.
  Layer weighted(Layer layer) {
    return this == WEIGHT ? WeightNorm.of(layer) : layer;
  }

  private static int groups(int channels) {
    return gcd(8, channels);
  }

  private static int gcd(int a, int b) {
    return b == 0 ? a : gcd(b, a % b);
  }
}
