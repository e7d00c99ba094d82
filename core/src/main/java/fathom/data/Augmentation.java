package fathom.data;

/// The random variation of training images: a crop of the image with a border of zeros around it,
/// or a random part of a photo. Optionally, half of the crops are mirrored left to right.
///
/// The border is added after normalization, so its zeros stand for the mean and not for black.
///
/// @param pad the width of the border in pixels, 0 to 2^20; the crop has the image's own size
/// @param part whether a part of 8 to 100 % of the area, with proportions of 3:4 to 4:3, is cut out
///   and scaled to the wanted size; this is for photos, which have no border
/// @param flip whether half of the crops are mirrored left to right
public record Augmentation(int pad, boolean part, boolean flip) {
  /// No augmentation: images stay as they are.
  public static final Augmentation NONE = new Augmentation(0, false);

  /// The augmentation of the residual paper on CIFAR-10 (He et al. 2015, section 4.2): a border of
  /// 4 pixels, and mirror images.
  public static final Augmentation CIFAR = new Augmentation(4, true);

  /// The usual augmentation of photos (Szegedy et al. 2015, section 6): a random part, and mirror
  /// images.
  public static final Augmentation PHOTOS = new Augmentation(0, true, true);

  /// Throws `IllegalArgumentException` if `pad` is out of range, or if both a border and a part are
  /// asked for.
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

  /// Makes an augmentation of whole images, without cutting out parts.
  public Augmentation(int pad, boolean flip) {
    this(pad, false, flip);
  }
}
