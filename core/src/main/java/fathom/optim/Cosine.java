package fathom.optim;

/// A schedule that follows half a wave of the cosine from the learning rate η down to 0. In step t
/// of the T steps after the warm-up, the learning rate is η/2 · (1 + cos(π·t/T)) (Loshchilov and
/// Hutter 2017, equation 5, without restarts).
///
/// @param learningRate η
/// @param warmUp the number of steps at the start that use the learning rate 0.1·η
public record Cosine(double learningRate, long warmUp) implements Schedule {
  /// Throws `IllegalArgumentException` unless the learning rate is positive and finite and the
  /// warm-up 0 or more steps.
  public Cosine {
    Schedule.check(learningRate, warmUp);
  }

  /// Returns this schedule with this many steps of warm-up.
  public Cosine withWarmUp(long steps) {
    return new Cosine(learningRate, steps);
  }

  @Override
  public double at(long step, long steps) {
    if (step < warmUp) {
      return learningRate * 0.1;
    }
    return step >= steps
        ? 0
        : Schedule.halfWave(learningRate, 0, (step - warmUp) / (double) (steps - warmUp));
  }
}
