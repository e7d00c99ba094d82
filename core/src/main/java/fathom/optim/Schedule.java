package fathom.optim;

import java.util.Arrays;

/// The learning rate as a function of the step, counted from 0. It depends on nothing else, so that
/// resuming needs nothing else.
public sealed interface Schedule permits Divided, Cosine, OneCycle {
  /// The paper warms 110 layers up "until the training error is below 80 % (about 400 iterations)".
  /// A number of steps keeps the rate a function of the step.
  long WARM_UP_STEPS = 400;

  /// How the rate goes, as it is named in a recipe.
  enum Curve {
    /// [Divided]
    STEPS,
    /// [Cosine]
    COSINE,
    /// [OneCycle]
    ONE_CYCLE
  }

  double at(long step);

  /// With so many steps at a tenth of the rate before. Throws `IllegalArgumentException` for more
  /// than 0 where the schedule has a warm-up of its own.
  Schedule withWarmUp(long steps);

  /// Divided by ten at these fractions of all `steps`: the paper's are 1/2 and 3/4 (32k and 48k of
  /// 64k).
  static Divided divided(double rate, long steps, double... fractions) {
    return new Divided(
        rate, 0, Arrays.stream(fractions).mapToObj(f -> Math.round(f * steps)).toList());
  }

  static void check(double rate, long warmUpSteps) {
    if (!(rate > 0) || warmUpSteps < 0) {
      throw new IllegalArgumentException(
          "a schedule needs a positive rate and no negative warm-up, but has %s and %s"
              .formatted(rate, warmUpSteps));
    }
  }

  /// From `from` to `to` along half a wave of the cosine, for a part from 0 to 1 of the way.
  static double halfWave(double from, double to, double part) {
    return to + (from - to) * 0.5 * (1 + StrictMath.cos(Math.PI * part));
  }
}
