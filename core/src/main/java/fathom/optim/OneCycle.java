package fathom.optim;

/// The one-cycle schedule. The learning rate rises from η/25 to η over the first 30 % of the steps
/// and falls to η/250,000 over the others, each along half a wave of the cosine. In Smith and Topin
/// 2018, section 3, the ramps are straight; the waves and the three numbers are those of PyTorch
/// and fast.ai.
///
/// @param learningRate η, the peak
public record OneCycle(double learningRate) implements Schedule {
  private static final double RISE = 0.3;
  private static final double START = 1.0 / 25;
  private static final double END = 1.0 / 250_000;

  /// Throws `IllegalArgumentException` unless the learning rate is positive and finite.
  public OneCycle {
    Schedule.check(learningRate, 0);
  }

  @Override
  public double at(long step, long steps) {
    double top = RISE * steps;
    return step < top
        ? Schedule.halfWave(learningRate * START, learningRate, step / top)
        : Schedule.halfWave(
            learningRate, learningRate * END, Math.min(1, (step - top) / (steps - top)));
  }
}
