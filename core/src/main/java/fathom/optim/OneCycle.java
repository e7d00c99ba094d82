package fathom.optim;

/// One cycle: up from η/25 to the learning rate η over the first 30 % of the steps and down to
/// η/250,000 over the others, each along half a wave of the cosine (Smith and Topin 2018, section
/// 3, whose ramps are straight; the waves and the three numbers are those that PyTorch and fast.ai
/// use).
///
/// @param learningRate η
public record OneCycle(double learningRate) implements Schedule {
  private static final double RISE = 0.3;
  private static final double START = 1.0 / 25;
  private static final double END = 1.0 / 250_000;

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
