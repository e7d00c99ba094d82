package fathom.optim;

/// Half a wave of the cosine from the learning rate η down to 0: in step t of the T steps behind
/// the warm-up, η/2 · (1 + cos(π·t/T)) (Loshchilov and Hutter 2017, equation 5, without restarts).
///
/// @param learningRate η
/// @param warmUp how many steps have the learning rate 0.1·η before it
public record Cosine(double learningRate, long warmUp) implements Schedule {
  public Cosine {
    Schedule.check(learningRate, warmUp);
  }

  /// The same behind so many steps of warm-up.
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
