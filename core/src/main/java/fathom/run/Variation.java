package fathom.run;

import com.fasterxml.jackson.annotation.JsonIgnore;
import fathom.data.Mixing;
import fathom.data.Policy;
import java.util.ArrayList;

/// What training images go through besides crops and flips: a policy for their pixels, random
/// erasing, and mixing. Each is off unless it is asked for.
///
/// @param randAugment the number of RandAugment's operations for each image; 0 for none
/// @param magnitude the strength of RandAugment's operations, 0 to 30; 0 without them
/// @param trivialAugment whether TrivialAugment changes each image
/// @param erase the probability of random erasing
/// @param mixup α of mixup; 0 for none
/// @param cutmix α of CutMix; 0 for none. With mixup too, each batch takes one of both
/// @param scale whether the part of a photo is drawn by scale, as in the residual paper
/// @param lighting the standard deviation of changes of red, green and blue along their principal
///   components, 0.1 in Krizhevsky et al. 2012; 0 for none
public record Variation(
    int randAugment,
    int magnitude,
    boolean trivialAugment,
    double erase,
    double mixup,
    double cutmix,
    boolean scale,
    double lighting) {
  public static final Variation NONE = new Variation(0, 0, false, 0, 0, 0);

  /// Makes a variation of photos by area and of no colours.
  public Variation(
      int randAugment,
      int magnitude,
      boolean trivialAugment,
      double erase,
      double mixup,
      double cutmix) {
    this(randAugment, magnitude, trivialAugment, erase, mixup, cutmix, false, 0);
  }

  /// Throws `IllegalArgumentException` naming the component that is out of its range, and for two
  /// policies at once.
  public Variation {
    if (randAugment != 0 && trivialAugment) {
      throw new IllegalArgumentException(
          "an image is changed by RandAugment or by TrivialAugment, but both were asked for; leave one out");
    }
    if (randAugment == 0 && magnitude != 0) {
      throw new IllegalArgumentException(
          "`magnitude` is that of RandAugment's operations, but there are none and it is "
              + magnitude);
    }
    var _ = policy(randAugment, magnitude, trivialAugment);
    var _ = new Mixing(mixup, cutmix);
    Parts.check("erase", erase, erase >= 0 && erase <= 1, "a probability from 0 to 1");
    Parts.check(
        "lighting",
        lighting,
        lighting >= 0 && Double.isFinite(lighting),
        "a standard deviation, 0 or more");
  }

  /// Returns this variation with parts of photos that are drawn by scale.
  public Variation byScale() {
    return new Variation(
        randAugment, magnitude, trivialAugment, erase, mixup, cutmix, true, lighting);
  }

  /// Returns this variation with changes of the colours of this standard deviation.
  public Variation withLighting(double standardDeviation) {
    return new Variation(
        randAugment, magnitude, trivialAugment, erase, mixup, cutmix, scale, standardDeviation);
  }

  /// Returns the policy for the pixels of an image.
  @JsonIgnore
  public Policy policy() {
    return policy(randAugment, magnitude, trivialAugment);
  }

  private static Policy policy(int randAugment, int magnitude, boolean trivialAugment) {
    return trivialAugment
        ? new Policy.TrivialAugment()
        : randAugment == 0 ? Policy.NONE : new Policy.RandAugment(randAugment, magnitude);
  }

  /// Returns how images are mixed.
  @JsonIgnore
  public Mixing mixing() {
    return new Mixing(mixup, cutmix);
  }

  /// Throws `IllegalArgumentException` if there is any, for a net that learns something else than
  /// the classes of images.
  void checkNone(String model, String learned) {
    if (!equals(NONE)) {
      throw new IllegalArgumentException(
          "`mixup`, `cutmix`, `randaugment`, `trivialaugment`, `erase` and `lighting` are for the classes of whole images, but %s learns %s; leave them out"
              .formatted(model, learned));
    }
  }

  /// Returns this in words; empty for nothing.
  @Override
  public String toString() {
    var said = new ArrayList<String>();
    if (randAugment > 0) {
      said.add("RandAugment (%s of strength %s of 30)".formatted(randAugment, magnitude));
    }
    if (trivialAugment) {
      said.add("TrivialAugment");
    }
    if (lighting > 0) {
      said.add("colours changed along their principal components by " + lighting);
    }
    if (erase > 0) {
      said.add("erased at random with probability " + erase);
    }
    if (mixup > 0) {
      said.add("mixup of Beta(%s, %s)".formatted(mixup, mixup));
    }
    if (cutmix > 0) {
      said.add("CutMix of Beta(%s, %s)".formatted(cutmix, cutmix));
    }
    if (mixup > 0 && cutmix > 0) {
      said.add("one of both for each batch");
    }
    return String.join(", ", said);
  }
}
