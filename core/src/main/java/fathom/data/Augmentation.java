package fathom.data;

/// How training images are varied: a random crop of the image with a border of zeros, or a random
/// part of a photo, and its mirror image every other time.
///
/// The border is put around the normalised image, so its zeros are the mean and not black.
///
/// @param pad the width of the border; the crop has the image's own size
/// @param part whether a part of 8 to 100 % of the area and proportions of 3:4 to 4:3 is scaled to
///   the size that is wanted; for photos, which have no border
/// @param flip whether half of the crops are mirrored left to right
public record Augmentation(int pad, boolean part, boolean flip) {
  /// Images as they are.
  public static final Augmentation NONE = new Augmentation(0, false);

  /// What the residual paper does on CIFAR-10 (He et al. 2015, section 4.2).
  public static final Augmentation CIFAR = new Augmentation(4, true);

  /// What is usual for photos (Szegedy et al. 2015, section 6).
  public static final Augmentation PHOTOS = new Augmentation(0, true, true);

  public Augmentation {
    if (pad < 0 || pad > 1 << 20) {
      throw new IllegalArgumentException(
          "the border of an image is 0 to %s pixels wide, not %s".formatted(1 << 20, pad));
    }
    if (part && pad > 0) {
      throw new IllegalArgumentException(
          "a part of a photo has no border, but one of %s pixels is asked for".formatted(pad));
    }
  }

  /// Crops and mirror images of whole images.
  public Augmentation(int pad, boolean flip) {
    this(pad, false, flip);
  }
}
