package fathom.data;

import fathom.RandomKey;
import org.jspecify.annotations.Nullable;

/// The random variation of training images: a crop of the image with a border of zeros around it,
/// or a random part of a photo. Optionally, half of the crops are mirrored left to right.
///
/// The border is added after normalization, so its zeros stand for the mean and not for black.
///
/// In this order: the part of a photo is cut out, the policy changes its bytes, lighting changes
/// its colours, it is normalized, cropped from its border and mirrored, and a patch of it is
/// erased.
///
/// @param pad the width of the border in pixels, 0 to 2^20; the crop has the image's own size
/// @param part whether a part of 8 to 100 % of the area, with proportions of 3:4 to 4:3, is cut out
///   and scaled to the wanted size; this is for photos, which have no border
/// @param scale whether the part is drawn by scale instead, in its own proportions: see
///   [CropRegion#scaled]
/// @param flip whether half of the crops are mirrored left to right
/// @param policy what changes the bytes of an image
/// @param erase the probability of random erasing (Zhong et al. 2017, arXiv 1708.04896): a patch of
///   2 to 33 % of the area is filled with bytes that are drawn anew for each value, which did best
///   in the paper (table 4), and normalized
/// @param lighting the standard deviation of the random changes of red, green and blue along the
///   principal components of their covariance; 0 for none. See [Lighting]
public record Augmentation(
    int pad,
    boolean part,
    boolean scale,
    boolean flip,
    Policy policy,
    double erase,
    double lighting) {
  private static final int POLICY = 1;
  private static final int ERASE = 2;
  private static final int NOISE = 3;
  private static final int LIGHTING = 4;

  /// No augmentation: images stay as they are.
  public static final Augmentation NONE = new Augmentation(0, false);

  /// The augmentation of the residual paper on CIFAR-10 (He et al. 2015, section 4.2): a border of
  /// 4 pixels, and mirror images.
  public static final Augmentation CIFAR = new Augmentation(4, true);

  /// The usual augmentation of photos (Szegedy et al. 2015, section 6): a random part, and mirror
  /// images.
  public static final Augmentation PHOTOS = new Augmentation(0, true, true);

  /// Throws `IllegalArgumentException` if `pad` or `erase` is out of range, or if both a border and
  /// a part are asked for.
  public Augmentation {
    if (pad < 0 || pad > 1 << 20) {
      throw new IllegalArgumentException(
          "the border of an image is 0 to %s pixels wide, not %s".formatted(1 << 20, pad));
    }
    if (part && pad > 0) {
      throw new IllegalArgumentException(
          "a part of a photo has no border, but one of %s pixels is asked for".formatted(pad));
    }
    if (scale && !part) {
      throw new IllegalArgumentException(
          "`scale` says how a part of a photo is drawn, but none is; leave it out");
    }
    if (!(lighting >= 0) || Double.isInfinite(lighting)) {
      throw new IllegalArgumentException(
          "`lighting` is a standard deviation, 0 or more, but is " + lighting);
    }
    if (!(erase >= 0 && erase <= 1)) {
      throw new IllegalArgumentException("`erase` is a probability from 0 to 1, but is " + erase);
    }
  }

  /// Makes an augmentation by cropping and mirroring alone.
  public Augmentation(int pad, boolean part, boolean flip) {
    this(pad, part, false, flip, Policy.NONE, 0, 0);
  }

  /// Makes an augmentation of whole images, without cutting out parts.
  public Augmentation(int pad, boolean flip) {
    this(pad, false, flip);
  }

  /// Returns this augmentation with a policy for the bytes of an image.
  public Augmentation with(Policy policy) {
    return new Augmentation(pad, part, scale, flip, policy, erase, lighting);
  }

  /// Returns this augmentation with random erasing of this probability.
  public Augmentation erasing(double probability) {
    return new Augmentation(pad, part, scale, flip, policy, probability, lighting);
  }

  /// Returns this augmentation with parts of photos that are drawn by scale.
  public Augmentation scaled() {
    return new Augmentation(pad, part, true, flip, policy, erase, lighting);
  }

  /// Returns this augmentation with changes of the colours of this standard deviation.
  public Augmentation lit(double standardDeviation) {
    return new Augmentation(pad, part, scale, flip, policy, erase, standardDeviation);
  }

  /// Returns the rule for the part of the photo that `key` belongs to.
  CropRegion region(int side, RandomKey key) {
    return scale ? CropRegion.scaled(side, key) : CropRegion.part(key);
  }

  /// Returns what is added to each channel, on the scale from 0 to 1, of the image that `key`
  /// belongs to. Throws `IllegalArgumentException` for changes of the colours of images that are
  /// not red, green and blue.
  float[] shift(LabelledImages of, RandomKey key) {
    check(of);
    return lighting == 0 ? new float[of.channels()] : Lighting.shift(lighting, key.at(LIGHTING));
  }

  /// Throws `IllegalArgumentException` for changes of the colours of images that are not red, green
  /// and blue.
  public void check(LabelledImages of) {
    if (lighting > 0 && of.channels() != 3) {
      throw new IllegalArgumentException(
          "`lighting` changes red, green and blue, but the images have %s channel%s; leave it out"
              .formatted(of.channels(), of.channels() == 1 ? "" : "s"));
    }
  }

  /// Changes the bytes of the image that `key` belongs to, by the policy.
  void change(byte[] image, LabelledImages of, RandomKey key) {
    policy.apply(image, of.channels(), of.height(), of.width(), key.at(POLICY));
  }

  /// Returns the patch to erase in the image that `key` belongs to; null for none.
  @Nullable Patch erased(LabelledImages of, RandomKey key) {
    return erase == 0 ? null : Patch.erased(erase, of.height(), of.width(), key.at(ERASE));
  }

  /// Returns the key of the bytes that fill the patch.
  static RandomKey noise(RandomKey key) {
    return key.at(NOISE);
  }
}
