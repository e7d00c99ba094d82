package fathom.train;

import fathom.data.Augmentation;
import fathom.data.Images;
import fathom.data.Normalization;

/// What is done to pictures before a net sees them.
///
/// @param crop the width of the border from which pictures are cropped at random; 0 for none
/// @param flip whether half of the pictures are mirrored
/// @param pixelMean whether the mean of each pixel is subtracted, as in the residual paper;
///   otherwise each channel is brought to mean 0 and deviation 1
public record Preparation(int crop, boolean flip, boolean pixelMean) {
  /// Channels normalised, otherwise as they are; and what texts have, to which nothing is done.
  static final Preparation PLAIN = new Preparation(0, false, false);

  Augmentation augmentation() {
    return new Augmentation(crop, flip);
  }

  Normalization normalization(Images train) {
    return pixelMean ? Normalization.perPixelMean(train) : Normalization.perChannel(train);
  }
}
