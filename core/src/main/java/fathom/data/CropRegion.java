package fathom.data;

import fathom.RandomKey;
import fathom.data.Orientation.Box;

/// The rule that chooses which part of an image is scaled to the wanted size, given the image's own
/// size.
@FunctionalInterface
interface CropRegion {
  /// The share of the shorter side that nets for photos are tested on: the shorter side is scaled
  /// to 256, and the centre is cropped to 224. This is the usual test with a single crop, with
  /// which published weights are quoted; the residual paper itself averages over ten crops or
  /// several sizes (section 3.4).
  double TESTED = 224.0 / 256;

  /// The shortest and the longest shorter side to which the residual paper scales a photo before a
  /// square of 224 pixels is cropped in training (section 3.4).
  int SHORTEST = 256;

  int LONGEST = 480;
  int PAPERS_SIDE = 224;

  int ATTEMPTS = 10;
  double LEAST_AREA = 0.08;
  double WIDEST = 4.0 / 3;

  /// Returns the part to use of an image of `width`×`height` pixels.
  Box of(int width, int height);

  /// Returns the rule that chooses the largest centred part with the proportions `height`:`width`,
  /// in whole pixels.
  static CropRegion largest(int height, int width) {
    return (w, h) -> {
      double factor = Math.min((double) w / width, (double) h / height);
      int across = Math.clamp(Math.round(width * factor), 1, w);
      int down = Math.clamp(Math.round(height * factor), 1, h);
      int left = (w - across) / 2;
      int top = (h - down) / 2;
      return new Box(left, top, across, down);
    };
  }

  /// Returns the length that the shorter side of a photo is scaled to before the centre of `side`
  /// pixels is cropped in tests.
  static long shorter(int side) {
    return Math.max(side, Math.round(side / TESTED));
  }

  /// Returns the rule for tests: the centre crop of `side` pixels that is left after the shorter
  /// side has been scaled to `side /` [#TESTED]. Crop and scaling are done in a single scaling,
  /// whose result lies where that of two would.
  static CropRegion tested(int side) {
    return tested(side, shorter(side));
  }

  /// Returns the rule for the centre crop of `side` pixels after the shorter side has been scaled
  /// to `shorter` pixels.
  static CropRegion tested(int side, long shorter) {
    return (w, h) -> {
      long across = w <= h ? shorter : shorter * w / h;
      long down = w <= h ? shorter * h / w : shorter;
      return new Box(
          Math.rint((across - side) / 2.0) * w / across,
          Math.rint((down - side) / 2.0) * h / down,
          (double) side * w / across,
          (double) side * h / down);
    };
  }

  /// Returns a length that the paper gives for squares of 224 pixels, for squares of `side`.
  static int scaled(int side, int length) {
    return Math.toIntExact(Math.round((double) side * length / PAPERS_SIDE));
  }

  /// Returns the rule for training by scale (Simonyan and Zisserman 2014, section 3.1; He et al.
  /// 2015, section 3.4): the shorter side is scaled to a length drawn from 256 to 480 pixels, for
  /// squares of another side than 224 in proportion, and a random square of `side` pixels is
  /// cropped. Crop and scaling are done in one, as in tests.
  ///
  /// The length is `d.below(3, ...)` above the shortest; row and column are `d.below(0, ...)` and
  /// `d.below(1, ...)` in pixels of the scaled photo.
  static CropRegion scaled(int side, RandomKey d) {
    int shortest = scaled(side, SHORTEST);
    long shorter = (long) shortest + d.below(3, scaled(side, LONGEST) - shortest + 1);
    return (w, h) -> {
      long across = w <= h ? shorter : shorter * w / h;
      long down = w <= h ? shorter * h / w : shorter;
      return new Box(
          (double) d.below(1, Math.toIntExact(across - side + 1)) * w / across,
          (double) d.below(0, Math.toIntExact(down - side + 1)) * h / down,
          (double) side * w / across,
          (double) side * h / down);
    };
  }

  /// Returns the rule for training: a random part with 8 to 100 % of the area and proportions
  /// between 3:4 and 4:3, the latter uniform on a logarithmic scale (Szegedy et al. 2015, section
  /// 6). If ten attempts give no part that fits into the image, the largest centred part with
  /// allowed proportions is used.
  ///
  /// Attempt t takes its area from `d.uniform(2t+3)` and its proportions from `d.uniform(2t+4)`;
  /// row and column are `d.below(0, ...)` and `d.below(1, ...)`. StrictMath makes the result the
  /// same on every machine.
  static CropRegion part(RandomKey d) {
    return (w, h) -> {
      double widest = StrictMath.log(WIDEST);
      for (int t = 0; t < ATTEMPTS; t++) {
        double area = (double) w * h * (LEAST_AREA + (1 - LEAST_AREA) * d.uniform(2 * t + 3));
        double proportions = StrictMath.exp(widest * (2 * d.uniform(2 * t + 4) - 1));
        long across = Math.round(Math.sqrt(area * proportions));
        long down = Math.round(Math.sqrt(area / proportions));
        if (across >= 1 && across <= w && down >= 1 && down <= h) {
          return new Box(
              d.below(1, (int) (w - across) + 1), d.below(0, (int) (h - down) + 1), across, down);
        }
      }
      double across = Math.min(w, Math.max(1, Math.rint(h * WIDEST)));
      double down = Math.min(h, Math.max(1, Math.rint(w * WIDEST)));
      return new Box(Math.floor((w - across) / 2), Math.floor((h - down) / 2), across, down);
    };
  }
}
