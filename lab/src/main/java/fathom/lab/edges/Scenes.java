package fathom.lab.edges;

import fathom.RandomKey;
import java.util.List;
import java.util.stream.IntStream;

/// Scenes by their index: each scene is a function of the key and the index.
///
/// An object is a disc or a square with a radius of 3 to 5 pixels and one brightness from 0.5 to 1.
/// It lies at least a pixel from the edge of the image.
///
/// @param key of the random draws
/// @param side of the images in pixels
/// @param fewest the smallest number of objects of an image
/// @param most the largest number of objects of an image; the number is uniform
/// @param faintest the smallest contrast of an image; contrasts are uniform up to 1
/// @param noise the standard deviation of the Gaussian noise of every pixel
record Scenes(RandomKey key, int side, int fewest, int most, double faintest, double noise) {
  /// A larger difference of brightness between neighbouring pixels is an outline.
  private static final double STEP = 0.05;

  private static final int NEAREST = 6;

  /// Returns scenes with `fewest` to `most` objects of full contrast with little noise, on 40×40
  /// pixels.
  static Scenes of(long seed, String purpose, int fewest, int most) {
    return new Scenes(RandomKey.of(seed, "scenes " + purpose), 40, fewest, most, 1, 0.02);
  }

  Scenes withSide(int side) {
    return new Scenes(key, side, fewest, most, faintest, noise);
  }

  Scenes withFaintest(double faintest) {
    return new Scenes(key, side, fewest, most, faintest, noise);
  }

  Scenes withNoise(double noise) {
    return new Scenes(key, side, fewest, most, faintest, noise);
  }

  List<Scene> take(int count) {
    return IntStream.range(0, count).mapToObj(this::at).toList();
  }

  Scene at(long index) {
    RandomKey own = key.at(index);
    int objects = fewest + own.below(0, most - fewest + 1);
    double contrast = faintest + (1 - faintest) * own.uniform(1);
    return drawn(own, objects, contrast);
  }

  private Scene drawn(RandomKey key, int objects, double contrast) {
    float[] bright = new float[side * side];
    for (int i = 0; i < objects; i++) {
      object(key.at(i), bright);
    }
    float[] pixels = new float[bright.length];
    byte[] outline = new byte[bright.length];
    RandomKey noises = key.at(objects);
    for (int y = 0; y < side; y++) {
      for (int x = 0; x < side; x++) {
        int p = y * side + x;
        boolean below = y + 1 < side && Math.abs(bright[p + side] - bright[p]) > STEP;
        boolean right = x + 1 < side && Math.abs(bright[p + 1] - bright[p]) > STEP;
        outline[p] = (byte) (below || right ? 1 : 0);
        double added = noise == 0 ? 0 : noise * noises.normal(p);
        pixels[p] = (float) (contrast * bright[p] + added);
      }
    }
    return new Scene(side, objects, contrast, bright, pixels, outline);
  }

  private void object(RandomKey key, float[] bright) {
    int radius = 3 + key.below(0, 3);
    int middle = side - 2 * NEAREST;
    int top = NEAREST + key.below(1, middle);
    int left = NEAREST + key.below(2, middle);
    double brightness = 0.5 + 0.5 * key.uniform(3);
    boolean disc = key.uniform(4) < 0.5;
    for (int y = top - radius; y <= top + radius; y++) {
      for (int x = left - radius; x <= left + radius; x++) {
        int dy = y - top;
        int dx = x - left;
        if (!disc || dy * dy + dx * dx <= radius * radius) {
          bright[y * side + x] = (float) brightness;
        }
      }
    }
  }
}
