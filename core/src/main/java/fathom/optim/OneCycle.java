package fathom.optim;

/// One cycle: up from η/25 to the full rate η over the first 30 % of the steps and down to
/// η/250,000 over the others, each along half a wave of the cosine (Smith and Topin 2018, section
/// 3, whose ramps are straight; the waves and the three numbers are those that PyTorch and fast.ai
/// use).
///
/// @param rate η
/// @param steps all steps; the rate of one beyond them is the last
public record OneCycle(double rate, long steps) implements Schedule {
  private static final double RISE = 0.3;
  private static final double START = 1.0 / 25;
  private static final double END = 1.0 / 250_000;

  public OneCycle {
    Schedule.check(rate, 0);
    if (steps < 1) {
      throw new IllegalArgumentException("a schedule has at least one step, not " + steps);
    }
  }

  @Override
  public OneCycle withWarmUp(long before) {
    if (before != 0) {
      throw new IllegalArgumentException(
          "one cycle begins with a warm-up of its own, but %s steps more are asked for; leave them out"
              .formatted(before));
    }
    return this;
  }

  @Override
  public double at(long step) {
    double top = RISE * steps;
    return step < top
        ? Schedule.halfWave(rate * START, rate, step / top)
        : Schedule.halfWave(rate, rate * END, Math.min(1, (step - top) / (steps - top)));
  }
}
