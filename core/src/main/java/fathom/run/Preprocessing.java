package fathom.run;

import fathom.data.Augmentation;
import fathom.data.LabelledImages;
import fathom.data.Normalization;
import fathom.data.Photos;

/// What is done to images before a net sees them.
///
/// @param size the side of the squares as which photos are decoded from their files each time they
///   are used; 0 for images that are in memory in their size
/// @param part whether training sees a random part of each photo
/// @param crop the width of the border from which images are cropped at random; 0 for none
/// @param flip whether half of the images are mirrored
/// @param pixelMean whether the mean of each pixel is subtracted, as in the residual paper;
///   otherwise each channel is brought to mean 0 and standard deviation 1
public record Preprocessing(int size, boolean part, int crop, boolean flip, boolean pixelMean) {
  /// Channels normalised, otherwise as they are; and what texts have, to which nothing is done.
  static final Preprocessing PLAIN = new Preprocessing(0, false, false);

  public Preprocessing {
    if (size < 0 || (size == 0 && part) || (size > 0 && (crop > 0 || pixelMean))) {
      throw new IllegalArgumentException(
          "photos of size %s are prepared by channel and without a border, others as a whole, but part is %s, crop %s and pixelMean %s"
              .formatted(size, part, crop, pixelMean));
    }
  }

  /// Of images in memory.
  Preprocessing(int crop, boolean flip, boolean pixelMean) {
    this(0, false, crop, flip, pixelMean);
  }

  /// Of photos; in training a random part of each, mirrored every other time, where they are
  /// `varied`.
  static Preprocessing photos(int size, boolean varied) {
    return new Preprocessing(size, varied, 0, varied, false);
  }

  /// Channels normalised, otherwise as they are.
  static Preprocessing plain(LabelledImages images) {
    return images instanceof Photos ? photos(images.width(), false) : PLAIN;
  }

  Augmentation augmentation() {
    return new Augmentation(crop, part, flip);
  }

  Normalization normalization(LabelledImages train) {
    return pixelMean ? Normalization.perPixelMean(train.images()) : Normalization.perChannel(train);
  }
}
