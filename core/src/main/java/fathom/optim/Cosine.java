package fathom.optim;

/// Half a wave of the cosine from the learning rate η down to 0: in step t of the T steps behind
/// the warm-up, η/2 · (1 + cos(π·t/T)) (Loshchilov and Hutter 2017, equation 5, without restarts).
///
/// @param rate η
/// @param warmUp how many steps have the rate 0.1·η before it
public record Cosine(double rate, long warmUp) implements Schedule {
  public Cosine {
    Schedule.check(rate, warmUp);
  }

  /// The same behind so many steps of warm-up.
  public Cosine withWarmUp(long steps) {
    return new Cosine(rate, steps);
  }

  @Override
  public double at(long step, long steps) {
    if (step < warmUp) {
      return rate * 0.1;
    }
    return step >= steps
        ? 0
        : Schedule.halfWave(rate, 0, (step - warmUp) / (double) (steps - warmUp));
  }
}
