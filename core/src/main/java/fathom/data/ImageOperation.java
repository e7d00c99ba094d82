package fathom.data;

import java.util.Arrays;
import java.util.function.IntUnaryOperator;

/// The operations of RandAugment (Cubuk et al. 2019, arXiv 1909.13719) and TrivialAugment (Müller
/// and Hutter 2021, arXiv 2103.10158) on the bytes of an image, in the order and with the ranges of
/// torchvision. What moves in from outside an image is black, and a moved pixel takes the value of
/// the nearest one.
///
/// A strength is one of [#BINS] between none and the greatest, evenly spaced. An operation with two
/// directions, such as rotation, is turned round by a negative magnitude.
enum ImageOperation {
  IDENTITY(0, 0, false),
  /// Row y moves to the left by magnitude·y pixels.
  SHEAR_X(0.3, 0.99, true),
  /// Column x moves up by magnitude·x pixels.
  SHEAR_Y(0.3, 0.99, true),
  /// All moves to the right by the whole part of the magnitude, in pixels. RandAugment's is that of
  /// images of 331 pixels, for which it was found: 150 of them.
  TRANSLATE_X(150.0 / 331, 32, true),
  /// All moves down by the whole part of the magnitude, in pixels.
  TRANSLATE_Y(150.0 / 331, 32, true),
  /// Counter-clockwise around the centre, in degrees.
  ROTATE(30, 135, true),
  /// Away from black: 1 + magnitude times each value.
  BRIGHTNESS(0.9, 0.99, true),
  /// Away from the image's luma.
  COLOUR(0.9, 0.99, true),
  /// Away from the mean of the luma, a whole number.
  CONTRAST(0.9, 0.99, true),
  /// Away from the image smoothed by the weights 1 around 5, over 13. Border pixels stay.
  SHARPNESS(0.9, 0.99, true),
  /// Keeps the highest 8 − magnitude bits of each value.
  POSTERIZE(4, 6, false),
  /// Inverts the values that are not below 255 − magnitude.
  SOLARIZE(255, 255, false),
  /// Spreads the values of each channel, from the least to the greatest, over 0 to 255.
  AUTO_CONTRAST(0, 0, false),
  /// Spreads the values of each channel so that all occur about equally often.
  EQUALIZE(0, 0, false);

  /// The number of strengths, counted from 0.
  static final int BINS = 31;

  /// As PIL weighs red, green and blue for its luma (ITU-R BT.601), over 2^16.
  private static final int[] LUMA = {19595, 38470, 7471};

  private static final int CENTRE = 5;
  private static final int SMOOTHING = 13;

  private final double usual;
  private final double wide;
  private final boolean signed;

  ImageOperation(double usual, double wide, boolean signed) {
    this.usual = usual;
    this.wide = wide;
    this.signed = signed;
  }

  /// Returns RandAugment's magnitude of strength `bin` in images of this size.
  double usual(int bin, int height, int width) {
    double side = this == TRANSLATE_X ? width : this == TRANSLATE_Y ? height : 1;
    return magnitude(usual * side, bin);
  }

  /// Returns the magnitude of strength `bin` in the wide ranges of TrivialAugment.
  double wide(int bin) {
    return magnitude(wide, bin);
  }

  private double magnitude(double greatest, int bin) {
    double part = greatest * bin / (BINS - 1);
    return this == POSTERIZE ? Math.rint(part) : part;
  }

  /// Whether the operation has two directions.
  boolean isSigned() {
    return signed;
  }

  /// Changes an image of `channels`×`height`×`width` bytes.
  void apply(byte[] image, int channels, int height, int width, double magnitude) {
    double m = magnitude;
    switch (this) {
      case IDENTITY -> {}
      case SHEAR_X -> moved(image, channels, height, width, 1, m, 0, 0, 1, 0);
      case SHEAR_Y -> moved(image, channels, height, width, 1, 0, 0, m, 1, 0);
      case TRANSLATE_X -> moved(image, channels, height, width, 1, 0, -(int) m, 0, 1, 0);
      case TRANSLATE_Y -> moved(image, channels, height, width, 1, 0, 0, 0, 1, -(int) m);
      case ROTATE -> rotated(image, channels, height, width, StrictMath.toRadians(m));
      case BRIGHTNESS -> blended(image, new int[image.length], 1 + m);
      case COLOUR -> blended(image, grey(image, channels, height * width), 1 + m);
      case CONTRAST -> blended(image, mean(image, channels, height * width), 1 + m);
      case SHARPNESS -> blended(image, smooth(image, height, width), 1 + m);
      case POSTERIZE -> looked(image, 0, image.length, v -> v & 0xff << (int) m);
      case SOLARIZE -> looked(image, 0, image.length, v -> v < 255 - m ? v : 255 - v);
      case AUTO_CONTRAST -> {
        for (int c = 0; c < channels; c++) {
          spread(image, c * height * width, height * width);
        }
      }
      case EQUALIZE -> {
        for (int c = 0; c < channels; c++) {
          equalized(image, c * height * width, height * width);
        }
      }
    }
  }

  private static void rotated(byte[] image, int channels, int height, int width, double angle) {
    double cos = StrictMath.cos(angle);
    double sin = StrictMath.sin(angle);
    double x = width / 2.0;
    double y = height / 2.0;
    moved(
        image,
        channels,
        height,
        width,
        cos,
        -sin,
        x - cos * x + sin * y,
        sin,
        cos,
        y - sin * x - cos * y);
  }

  /// Gives the pixel with its centre at (x, y) the value of the pixel around (a·x + b·y + c, d·x +
  /// e·y + f).
  private static void moved(
      byte[] image,
      int channels,
      int height,
      int width,
      double a,
      double b,
      double c,
      double d,
      double e,
      double f) {
    byte[] from = image.clone();
    int plane = height * width;
    for (int row = 0; row < height; row++) {
      for (int column = 0; column < width; column++) {
        double x = column + 0.5;
        double y = row + 0.5;
        double left = Math.floor(a * x + b * y + c);
        double top = Math.floor(d * x + e * y + f);
        boolean inside = left >= 0 && left < width && top >= 0 && top < height;
        int at = inside ? ((int) top) * width + (int) left : -1;
        for (int channel = 0; channel < channels; channel++) {
          image[channel * plane + row * width + column] = inside ? from[channel * plane + at] : 0;
        }
      }
    }
  }

  /// Goes from `other` to the image and beyond, in whole values as PIL rounds them: down.
  private static void blended(byte[] image, int[] other, double factor) {
    for (int i = 0; i < image.length; i++) {
      int value = image[i] & 0xff;
      image[i] = (byte) (int) Math.clamp(other[i] + factor * (value - other[i]), 0, 255);
    }
  }

  /// Returns the luma of each pixel, for every channel.
  private static int[] grey(byte[] image, int channels, int plane) {
    int[] grey = new int[image.length];
    for (int p = 0; p < plane; p++) {
      int luma = image[p] & 0xff;
      if (channels == LUMA.length) {
        long sum = 1 << 15;
        for (int c = 0; c < channels; c++) {
          sum += (long) LUMA[c] * (image[c * plane + p] & 0xff);
        }
        luma = (int) (sum >> 16);
      }
      for (int c = 0; c < channels; c++) {
        grey[c * plane + p] = luma;
      }
    }
    return grey;
  }

  private static int[] mean(byte[] image, int channels, int plane) {
    int[] grey = grey(image, channels, plane);
    double mean = Arrays.stream(grey, 0, plane).average().orElse(0);
    Arrays.fill(grey, (int) (mean + 0.5));
    return grey;
  }

  private static int[] smooth(byte[] image, int height, int width) {
    int[] smooth = new int[image.length];
    for (int i = 0; i < image.length; i++) {
      int x = i % width;
      int y = i / width % height;
      int sum = image[i] & 0xff;
      if (x > 0 && x < width - 1 && y > 0 && y < height - 1) {
        sum *= CENTRE - 1;
        for (int row = -1; row <= 1; row++) {
          for (int column = -1; column <= 1; column++) {
            sum += image[i + row * width + column] & 0xff;
          }
        }
        sum = (2 * sum + SMOOTHING) / (2 * SMOOTHING);
      }
      smooth[i] = sum;
    }
    return smooth;
  }

  private static void spread(byte[] image, int from, int count) {
    int least = 255;
    int most = 0;
    for (int i = from; i < from + count; i++) {
      least = Math.min(least, image[i] & 0xff);
      most = Math.max(most, image[i] & 0xff);
    }
    if (most > least) {
      int low = least;
      int range = most - least;
      looked(image, from, count, v -> (v - low) * 255 / range);
    }
  }

  /// Equalizes as PIL does: the step leaves out the greatest value that occurs, so that this value
  /// becomes 255.
  private static void equalized(byte[] image, int from, int count) {
    int[] histogram = new int[256];
    int greatest = 0;
    for (int i = from; i < from + count; i++) {
      histogram[image[i] & 0xff]++;
      greatest = Math.max(greatest, image[i] & 0xff);
    }
    int step = (count - histogram[greatest]) / 255;
    if (step == 0) {
      return;
    }
    int[] to = new int[256];
    int below = step / 2;
    for (int v = 0; v < 256; v++) {
      to[v] = Math.min(255, below / step);
      below += histogram[v];
    }
    looked(image, from, count, v -> to[v]);
  }

  private static void looked(byte[] image, int from, int count, IntUnaryOperator to) {
    for (int i = from; i < from + count; i++) {
      image[i] = (byte) to.applyAsInt(image[i] & 0xff);
    }
  }
}
