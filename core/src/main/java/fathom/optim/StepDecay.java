package fathom.optim;

import java.util.List;

/// A learning rate in steps: after a warm-up at a tenth of it, the learning rate is η and is
/// divided by ten each time a fraction of all steps is over. In the residual paper the fractions
/// are 1/2 and 3/4: 32k and 48k of 64k steps (He et al. 2016, section 4.2).
///
/// @param learningRate η
/// @param warmUp the number of steps at the start that use the learning rate 0.1·η
/// @param fractions the fractions of all steps, ascending from 0 to 1; each takes effect at the
///   nearest whole step
public record StepDecay(double learningRate, long warmUp, List<Double> fractions)
    implements Schedule {
  /// Throws `IllegalArgumentException` unless the learning rate is positive and finite, the warm-up
  /// 0 or more steps and the fractions ascend from 0 to 1.
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

  /// Returns this schedule with this many steps of warm-up.
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
