package fathom.data;

import fathom.RandomKey;
import org.jspecify.annotations.Nullable;

/// The mixing of each training image and its label with another of the same batch: mixup (Zhang et
/// al. 2017, arXiv 1710.09412), CutMix (Yun et al. 2019, arXiv 1905.04899), or for each batch one
/// of both.
///
/// A batch has one λ, and one patch for CutMix, as in both papers. Row r of a batch of n rows is
/// mixed with row n−1−r; the order of an epoch is random already, so this is as good as any other
/// pairing, and the partners of a worker's rows are again rows that follow one another.
///
/// @param mixup α of mixup's Beta(α, α); 0 for no mixup
/// @param cutmix α of CutMix's Beta(α, α); 0 for no CutMix
public record Mixing(double mixup, double cutmix) {
  /// No mixing.
  public static final Mixing NONE = new Mixing(0, 0);

  /// Throws `IllegalArgumentException` if an α is negative or not finite.
  public Mixing {
    check("mixup", mixup);
    check("cutmix", cutmix);
  }

  private static void check(String name, double alpha) {
    if (!(alpha >= 0) || Double.isInfinite(alpha)) {
      throw new IllegalArgumentException(
          "`%s` is the α of a Beta distribution, above 0, or 0 for none, but is %s"
              .formatted(name, alpha));
    }
  }

  /// Returns whether nothing is mixed.
  public boolean isNone() {
    return mixup == 0 && cutmix == 0;
  }

  /// Returns how the batch with this key is mixed, given images of this size. If both are wanted,
  /// it is CutMix if `key.uniform(0)` is below ½, as in timm. The centre of CutMix's patch is row
  /// `key.below(1, height)` and column `key.below(2, width)`.
  public Mix of(RandomKey key, int height, int width) {
    if (isNone()) {
      return Mix.NONE;
    }
    boolean cuts = cutmix > 0 && (mixup == 0 || key.uniform(0) < 0.5);
    double lambda = beta(key.at(0), cuts ? cutmix : mixup);
    if (!cuts) {
      return new Mix(lambda, null);
    }
    Patch patch = Patch.cut(lambda, height, width, key.below(1, height), key.below(2, width));
    return new Mix(1 - (double) patch.area() / ((double) height * width), patch);
  }

  /// Returns a number of Beta(α, α): G/(G+H) for two numbers of a gamma distribution. Their
  /// logarithms are used, because for a small α the numbers themselves may be 0.
  static double beta(RandomKey key, double alpha) {
    double difference = logGamma(key.at(1), alpha) - logGamma(key.at(0), alpha);
    return 1 / (1 + StrictMath.exp(difference));
  }

  /// Returns the logarithm of a number of the gamma distribution with this shape, by the rejection
  /// of Marsaglia and Tsang (2000) for shape + 1, times a power of a uniform number.
  private static double logGamma(RandomKey key, double shape) {
    double d = shape + 1 - 1 / 3.0;
    double c = 1 / Math.sqrt(9 * d);
    double boost = StrictMath.log(1 - key.uniform(0)) / shape;
    for (int attempt = 0; ; attempt++) {
      double x = key.at(0).normal(attempt);
      double v = (1 + c * x) * (1 + c * x) * (1 + c * x);
      double u = 1 - key.at(1).uniform(attempt);
      if (v > 0 && StrictMath.log(u) < x * x / 2 + d - d * v + d * StrictMath.log(v)) {
        return StrictMath.log(d * v) + boost;
      }
    }
  }

  /// How the images of one batch are mixed.
  ///
  /// @param lambda λ, the share of an image's own label, 0 to 1; of CutMix the exact share of its
  ///   pixels that are its own
  /// @param patch the patch that comes from the partner; null for mixup
  public record Mix(double lambda, @Nullable Patch patch) {
    /// Images as they are.
    public static final Mix NONE = new Mix(1, null);

    /// Returns whether nothing is mixed, whatever the images are.
    public boolean isNone() {
      return lambda == 1;
    }

    /// Returns the rows that those of a worker are mixed with, if `whole` is the whole batch; the
    /// first of `own` has the last of them as its partner.
    public static Rows partners(Rows own, Rows whole) {
      int ends = whole.from() + whole.to();
      return new Rows(ends - own.to(), ends - own.from());
    }

    /// Mixes the `H×W×C` values of a partner into those of an image.
    void into(float[] image, float[] partner, int width, int channels) {
      Patch of = patch;
      if (of != null) {
        for (int y = of.top(); y < of.top() + of.height(); y++) {
          int from = (y * width + of.left()) * channels;
          System.arraycopy(partner, from, image, from, of.width() * channels);
        }
        return;
      }
      float own = (float) lambda;
      float others = (float) (1 - lambda);
      for (int i = 0; i < image.length; i++) {
        image[i] = own * image[i] + others * partner[i];
      }
    }
  }
}
