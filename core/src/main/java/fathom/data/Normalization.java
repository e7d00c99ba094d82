package fathom.data;

import fathom.RandomKey;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The normalization of every value of an image before a net sees it: `(x/255 - mean) /
/// standardDeviation`.
///
/// A standard deviation of 0, which a constant channel has, becomes 1: such a channel is 0 after
/// its mean has been subtracted, and must not become 0/0.
///
/// @param mean the mean on the scale of 0 to 1: one per channel, or one per pixel and channel
///   (`C×H×W`)
/// @param standardDeviation the standard deviation on the same scale, again one per channel or one
///   per pixel and channel, independently of `mean`
public record Normalization(float[] mean, float[] standardDeviation) {
  private static final int SAMPLE = 1000;
  private static final int PART = 100;

  /// Throws `IllegalArgumentException` if one of the arrays is empty, if a number is not finite, or
  /// if a standard deviation is negative.
  public Normalization {
    mean = checked("mean", mean);
    standardDeviation = checked("standard deviation", standardDeviation);
    for (int i = 0; i < standardDeviation.length; i++) {
      if (standardDeviation[i] < 0) {
        throw new IllegalArgumentException(
            "a standard deviation must not be negative, but number %s is %s"
                .formatted(i, standardDeviation[i]));
      }
      if (standardDeviation[i] == 0) {
        standardDeviation[i] = 1;
      }
    }
  }

  private static float[] checked(String what, float[] values) {
    if (values.length == 0) {
      throw new IllegalArgumentException(
          "one %s per channel is needed, but there is none".formatted(what));
    }
    for (int i = 0; i < values.length; i++) {
      if (!Float.isFinite(values[i])) {
        throw new IllegalArgumentException(
            "a %s must be a finite number, but number %s is %s".formatted(what, i, values[i]));
      }
    }
    return values.clone();
  }

  /// Makes a normalization, for example `of({0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f})`.
  public static Normalization of(float[] mean, float[] standardDeviation) {
    return new Normalization(mean, standardDeviation);
  }

  /// Subtracts from each pixel its mean over `training`, with a standard deviation of 1. This is
  /// the residual paper's choice for CIFAR-10. Throws `IllegalArgumentException` if there are no
  /// images.
  public static Normalization perPixelMean(Images training) {
    checkNotEmpty(training);
    int size = training.size();
    long[] sums = new long[size];
    byte[] pixels = training.pixels();
    for (int i = 0; i < pixels.length; i += size) {
      for (int p = 0; p < size; p++) {
        sums[p] += pixels[i + p] & 0xff;
      }
    }
    float[] mean = new float[size];
    for (int p = 0; p < size; p++) {
      mean[p] = (float) (sums[p] / (255.0 * training.count()));
    }
    float[] standardDeviation = new float[training.channels()];
    Arrays.fill(standardDeviation, 1);
    return new Normalization(mean, standardDeviation);
  }

  /// Gives each channel the mean 0 and the standard deviation 1 over all pixels of `training`.
  /// Photos have to be decoded for this, so the pixels of at most 1,000 of them are used, which are
  /// drawn with a random key of their own. Throws `IllegalArgumentException` if there are no
  /// images.
  public static Normalization perChannel(LabelledImages training) {
    checkNotEmpty(training);
    return training instanceof Photos photos
        ? perChannel(sample(photos))
        : perChannel(List.of(training));
  }

  /// Returns the sample in parts that do not fill the memory, as tests see the photos.
  private static List<LabelledImages> sample(Photos photos) {
    int[] drawn = RandomKey.of(0, "normalization").permutation(photos.count());
    int count = Math.min(SAMPLE, drawn.length);
    var parts = new ArrayList<LabelledImages>();
    for (int from = 0; from < count; from += PART) {
      parts.add(photos.select(Arrays.copyOfRange(drawn, from, Math.min(count, from + PART))));
    }
    return parts;
  }

  private static Normalization perChannel(List<LabelledImages> parts) {
    LabelledImages first = parts.getFirst();
    long[][] all = new long[first.channels()][256];
    for (LabelledImages part : parts) {
      Images images = part.images();
      for (int c = 0; c < all.length; c++) {
        count(images, c, all[c]);
      }
    }
    double images = parts.stream().mapToInt(LabelledImages::count).sum();
    return of(all, images * first.height() * first.width());
  }

  private static Normalization of(long[][] all, double pixels) {
    float[] mean = new float[all.length];
    float[] standardDeviation = new float[all.length];
    for (int c = 0; c < mean.length; c++) {
      // The counts of the 256 values contain everything. First the mean and then the variance
      // around it are sums of few terms.
      long[] counts = all[c];
      double m = 0;
      for (int v = 0; v < 256; v++) {
        m += counts[v] / pixels * (v / 255.0);
      }
      double variance = 0;
      for (int v = 0; v < 256; v++) {
        variance += counts[v] / pixels * (v / 255.0 - m) * (v / 255.0 - m);
      }
      mean[c] = (float) m;
      standardDeviation[c] = (float) Math.sqrt(variance);
    }
    return new Normalization(mean, standardDeviation);
  }

  /// Adds to `counts` how often each value occurs in channel `c`.
  private static void count(Images images, int c, long[] counts) {
    int plane = images.height() * images.width();
    byte[] pixels = images.pixels();
    for (int i = 0; i < images.count(); i++) {
      int from = (i * images.channels() + c) * plane;
      for (int p = from; p < from + plane; p++) {
        counts[pixels[p] & 0xff]++;
      }
    }
  }

  private static void checkNotEmpty(LabelledImages training) {
    if (training.count() == 0) {
      throw new IllegalArgumentException("a mean needs at least one image, but there is none");
    }
  }

  /// Returns a copy of the means.
  @Override
  public float[] mean() {
    return mean.clone();
  }

  /// Returns a copy of the standard deviations.
  @Override
  public float[] standardDeviation() {
    return standardDeviation.clone();
  }

  /// Returns the mean for each of the `C×H×W` values of an image.
  float[] meanOf(LabelledImages images) {
    return spread("mean", mean, images);
  }

  /// Returns the standard deviation for each of the `C×H×W` values of an image.
  float[] standardDeviationOf(LabelledImages images) {
    return spread("standard deviation", standardDeviation, images);
  }

  private static float[] spread(String what, float[] values, LabelledImages images) {
    if (values.length == images.size()) {
      return values.clone();
    }
    if (values.length != images.channels()) {
      throw new IllegalArgumentException(
          "images of %s×%s×%s need %s or %s values for the %s, but the normalization has %s"
              .formatted(
                  images.channels(),
                  images.height(),
                  images.width(),
                  images.channels(),
                  images.size(),
                  what,
                  values.length));
    }
    int plane = images.height() * images.width();
    float[] spread = new float[images.size()];
    for (int c = 0; c < values.length; c++) {
      Arrays.fill(spread, c * plane, (c + 1) * plane, values[c]);
    }
    return spread;
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof Normalization other
        && Arrays.equals(mean, other.mean)
        && Arrays.equals(standardDeviation, other.standardDeviation);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(mean) + Arrays.hashCode(standardDeviation);
  }

  /// Returns all values if there are at most four, otherwise how many there are.
  @Override
  public String toString() {
    return "mean %s, standard deviation %s".formatted(show(mean), show(standardDeviation));
  }

  private static String show(float[] values) {
    return values.length <= 4 ? Arrays.toString(values) : "of each of " + values.length + " pixels";
  }
}
