package fathom.optim;

import java.util.List;

/// A warm-up at a tenth of the rate, then the full rate, divided by ten at each milestone (He et
/// al. 2016, section 4.2).
///
/// @param rate the full rate
/// @param warmUpSteps how long the first rate is `rate` · 0.1
/// @param milestones the steps at which the rate is divided by ten, ascending
public record Divided(double rate, long warmUpSteps, List<Long> milestones) implements Schedule {
  public Divided {
    milestones = List.copyOf(milestones);
    Schedule.check(rate, warmUpSteps);
  }

  @Override
  public Divided withWarmUp(long steps) {
    return new Divided(rate, steps, milestones);
  }

  @Override
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
