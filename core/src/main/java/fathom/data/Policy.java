package fathom.data;

import fathom.RandomKey;

/// A policy that draws for each image which operations change its pixels, and how much.
///
/// The operations and their ranges are those of torchvision's `RandAugment` and
/// `TrivialAugmentWide`: identity, shear and translation in both directions, rotation, brightness,
/// colour, contrast, sharpness, posterize, solarize, auto-contrast and equalize, each with 31
/// strengths. They change the bytes of an image before it is normalized.
public sealed interface Policy {
  /// No operation.
  Policy NONE = new None();

  /// Changes an image of `channels`×`height`×`width` bytes as drawn from `key`.
  void apply(byte[] image, int channels, int height, int width, RandomKey key);

  /// No operation.
  record None() implements Policy {
    @Override
    public void apply(byte[] image, int channels, int height, int width, RandomKey key) {}
  }

  /// RandAugment (Cubuk et al. 2019, arXiv 1909.13719): some operations one after the other, each
  /// drawn from all 14 and all of one strength. Operation k is `key.below(3k, 14)`, in a direction
  /// by the sign of `key.bits(3k+1)`.
  ///
  /// @param operations the number of operations for each image, N in the paper, at least 1
  /// @param magnitude the strength of all, M in the paper, 0 to 30
  record RandAugment(int operations, int magnitude) implements Policy {
    /// The default of torchvision, N = 2 and M = 9.
    public static final RandAugment USUAL = new RandAugment(2, 9);

    /// Throws `IllegalArgumentException` naming the component that is out of its range.
    public RandAugment {
      if (operations < 1 || operations > ImageOperation.BINS) {
        throw new IllegalArgumentException(
            "RandAugment makes 1 to %s operations (N), not %s"
                .formatted(ImageOperation.BINS, operations));
      }
      if (magnitude < 0 || magnitude >= ImageOperation.BINS) {
        throw new IllegalArgumentException(
            "RandAugment's magnitude (M) is 0 to %s, not %s"
                .formatted(ImageOperation.BINS - 1, magnitude));
      }
    }

    @Override
    public void apply(byte[] image, int channels, int height, int width, RandomKey key) {
      ImageOperation[] all = ImageOperation.values();
      for (int k = 0; k < operations; k++) {
        ImageOperation drawn = all[key.below(3L * k, all.length)];
        boolean back = drawn.isSigned() && key.bits(3L * k + 1) < 0;
        double strength = drawn.usual(magnitude, height, width);
        drawn.apply(image, channels, height, width, back ? -strength : strength);
      }
    }
  }

  /// TrivialAugment with the wide ranges (Müller and Hutter 2021, arXiv 2103.10158): one operation,
  /// `key.below(0, 14)`, of the strength `key.below(1, 31)`, in a direction by the sign of
  /// `key.bits(2)`.
  record TrivialAugment() implements Policy {
    @Override
    public void apply(byte[] image, int channels, int height, int width, RandomKey key) {
      ImageOperation[] all = ImageOperation.values();
      ImageOperation drawn = all[key.below(0, all.length)];
      double strength = drawn.wide(key.below(1, ImageOperation.BINS));
      boolean back = drawn.isSigned() && key.bits(2) < 0;
      drawn.apply(image, channels, height, width, back ? -strength : strength);
    }
  }
}
