package fathom.optim;

import java.util.Arrays;
import java.util.List;

/// The learning rate as a function of the step, counted from 0.
///
/// It is one of: a warm-up at a fraction of the rate, then the full rate, divided by ten at each
/// milestone (He et al. 2016, section 4.2).
///
/// @param rate the full rate
/// @param warmUpSteps how long the first rate is `rate` · 0.1
/// @param milestones the steps at which the rate is divided by ten, ascending
public record Schedule(double rate, long warmUpSteps, List<Long> milestones) {
  /// The paper warms 110 layers up "until the training error is below 80 % (about 400 iterations)".
  /// A number of steps keeps the rate a function of the step, so that resuming needs nothing else.
  public static final long WARM_UP_STEPS = 400;

  public Schedule {
    milestones = List.copyOf(milestones);
    if (!(rate > 0) || warmUpSteps < 0) {
      throw new IllegalArgumentException(
          "a schedule needs a positive rate and no negative warm-up, but has %s and %d"
              .formatted(rate, warmUpSteps));
    }
  }

  /// Divided by ten at these fractions of all `steps`: the paper's are 1/2 and 3/4 (32k and 48k of
  /// 64k).
  public static Schedule divided(double rate, long steps, double... fractions) {
    return new Schedule(
        rate, 0, Arrays.stream(fractions).mapToObj(f -> Math.round(f * steps)).toList());
  }

  public Schedule withWarmUp(long steps) {
    return new Schedule(rate, steps, milestones);
  }

  public double at(long step) {
    if (step < warmUpSteps) {
      return rate * 0.1;
    }
    double now = rate;
    for (long milestone : milestones) {
      if (step >= milestone) {
        now *= 0.1;
      }
    }
    return now;
  }
}
