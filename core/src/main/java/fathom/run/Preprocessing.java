package fathom.run;

import com.fasterxml.jackson.annotation.JsonProperty;
import fathom.data.Augmentation;
import fathom.data.LabelledImages;
import fathom.data.Normalization;
import fathom.data.Photos;

/// The preprocessing of images before a net sees them. The constructor throws
/// `IllegalArgumentException` for a combination that neither photos nor images in memory can have.
///
/// @param size the side in pixels of the squares to which photos are decoded from their files each
///   time they are used; 0 for images that are in memory in their size
/// @param part whether training sees a random crop region of each photo
/// @param crop the width in pixels of the border with which images are padded before a random crop;
///   0 for none
/// @param flip whether images are mirrored with probability ½
/// @param pixelMean whether the mean of each pixel is subtracted, as in the residual paper;
///   otherwise each channel is brought to mean 0 and standard deviation 1
/// @param variation what training images go through besides
public record Preprocessing(
    int size,
    boolean part,
    int crop,
    boolean flip,
    boolean pixelMean,
    @JsonProperty("augmentation") Variation variation) {
  /// Normalization of channels and nothing else. It is also the preprocessing of texts, on which it
  /// has no effect.
  static final Preprocessing PLAIN = new Preprocessing(0, false, false);

  public Preprocessing {
    if (variation.scale() && !part) {
      throw new IllegalArgumentException(
          "`scale` says how a random part of a photo is drawn, but none is; leave it out");
    }
    if (size < 0 || (size == 0 && part) || (size > 0 && (crop > 0 || pixelMean))) {
      throw new IllegalArgumentException(
          "photos of size %s are normalized by channel and without a border, others as a whole, but part is %s, crop %s and pixelMean %s"
              .formatted(size, part, crop, pixelMean));
    }
  }

  /// The preprocessing of images in memory.
  Preprocessing(int crop, boolean flip, boolean pixelMean) {
    this(0, false, crop, flip, pixelMean, Variation.NONE);
  }

  /// The preprocessing of photos of `size`×`size` pixels. If they are `varied`, training sees a
  /// random crop region of each, mirrored with probability ½.
  static Preprocessing photos(int size, boolean varied) {
    return new Preprocessing(size, varied, 0, varied, false, Variation.NONE);
  }

  /// Normalization of channels and nothing else, for images in memory or photos.
  static Preprocessing plain(LabelledImages images) {
    return images instanceof Photos ? photos(images.width(), false) : PLAIN;
  }

  /// The preprocessing by which the convolutional nets learn. Colour images are cropped and
  /// flipped. Grey images are not, because a flip may change the class.
  ///
  /// @param pixelMean whether the mean of each pixel of images in memory is subtracted
  public static Preprocessing usual(LabelledImages images, boolean pixelMean) {
    boolean colour = images.channels() == 3;
    return images instanceof Photos
        ? photos(images.width(), colour)
        : new Preprocessing(colour ? 4 : 0, colour, pixelMean);
  }

  /// Returns this preprocessing with another variation of training images.
  public Preprocessing with(Variation variation) {
    return new Preprocessing(size, part, crop, flip, pixelMean, variation);
  }

  /// Returns the augmentation of each training image.
  public Augmentation augmentation() {
    return new Augmentation(
        crop,
        part,
        variation.scale(),
        flip,
        variation.policy(),
        variation.erase(),
        variation.lighting());
  }

  Normalization normalization(LabelledImages train) {
    return pixelMean ? Normalization.perPixelMean(train.images()) : Normalization.perChannel(train);
  }
}
