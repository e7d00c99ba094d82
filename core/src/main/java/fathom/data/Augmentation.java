package fathom.data;

/// How training pictures are varied: a random crop of the picture with a border of zeros, and its
/// mirror image every other time.
///
/// The border is put around the normalised picture, so its zeros are the mean and not black.
///
/// @param pad the width of the border; the crop has the picture's own size
/// @param flip whether half of the crops are mirrored left to right
public record Augmentation(int pad, boolean flip) {
  /// Pictures as they are.
  public static final Augmentation NONE = new Augmentation(0, false);

  /// What the residual paper does on CIFAR-10 (He et al. 2015, section 4.2).
  public static final Augmentation CIFAR = new Augmentation(4, true);

  public Augmentation {
    if (pad < 0 || pad > 1 << 20) {
      throw new IllegalArgumentException(
          "the border of a picture is 0 to %d pixels wide, not %d".formatted(1 << 20, pad));
    }
  }
}
