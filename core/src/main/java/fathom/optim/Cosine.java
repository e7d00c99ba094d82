package fathom.optim;

/// Half a wave of the cosine from the full rate η down to 0: in step t of T behind the warm-up, η/2
/// · (1 + cos(π·t/T)) (Loshchilov and Hutter 2017, equation 5, without restarts). A warm-up before
/// it is at a tenth of the rate.
///
/// @param rate η
/// @param warmUpSteps how long the first rate is `rate` · 0.1
/// @param steps all steps, with the warm-up; the rate of one beyond them is 0
public record Cosine(double rate, long warmUpSteps, long steps) implements Schedule {
  public Cosine {
    Schedule.check(rate, warmUpSteps);
    if (steps < 1) {
      throw new IllegalArgumentException("a schedule has at least one step, not " + steps);
    }
  }

  @Override
  public Cosine withWarmUp(long before) {
    return new Cosine(rate, before, steps);
  }

  @Override
  public double at(long step) {
    if (step < warmUpSteps) {
      return rate * 0.1;
    }
    return step >= steps
        ? 0
        : Schedule.halfWave(rate, 0, (step - warmUpSteps) / (double) (steps - warmUpSteps));
  }
}
