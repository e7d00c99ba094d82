package fathom.optim;

import java.util.List;

/// A warm-up at a tenth of the learning rate η, then η, divided by ten each time a fraction of all
/// steps is over (He et al. 2016, section 4.2, where the fractions are 1/2 and 3/4: 32k and 48k of
/// 64k).
///
/// @param learningRate η
/// @param warmUp how many steps have the learning rate 0.1·η before it
/// @param fractions of all steps, ascending; each counts from the nearest whole step on
public record StepDecay(double learningRate, long warmUp, List<Double> fractions)
    implements Schedule {
  public StepDecay {
    fractions = List.copyOf(fractions);
    Schedule.check(learningRate, warmUp);
    double before = 0;
    for (double fraction : fractions) {
      if (!(fraction >= before && fraction <= 1)) {
        throw new IllegalArgumentException(
            "a learning rate is divided at ascending fractions of all steps from 0 to 1, but at "
                + fractions);
      }
      before = fraction;
    }
  }

  /// The same behind so many steps of warm-up.
  public StepDecay withWarmUp(long steps) {
    return new StepDecay(learningRate, steps, fractions);
  }

  @Override
  public double at(long step, long steps) {
    if (step < warmUp) {
      return learningRate * 0.1;
    }
    double now = learningRate;
    for (double fraction : fractions) {
      if (step >= Math.round(fraction * steps)) {
        now *= 0.1;
      }
    }
    return now;
  }
}
