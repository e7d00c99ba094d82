package fathom.optim;

import java.util.List;

/// A warm-up that ends with the first epoch whose training error is below a bound: "we use 0.01 to
/// warm up the training until the training error is below 80 %" (He et al. 2015, section 4.2).
/// Until then the learning rate is a tenth of η, and afterwards that of another schedule.
///
/// The error is that over an epoch, before each of its steps, because a run stores it: so the
/// learning rate after resuming is the same as without. The paper does not say over how many
/// iterations it takes the error.
///
/// @param then the schedule after the warm-up, of which no step is left out: it goes on where it
///   would be without one
/// @param learningRate η
/// @param error the bound in %
/// @param over whether the warm-up is over
public record WarmUpUntil(Schedule then, double learningRate, double error, boolean over)
    implements Schedule {
  /// Throws `IllegalArgumentException` unless η is positive and finite and the bound from 0 to 100.
  public WarmUpUntil {
    Schedule.check(learningRate, 0);
    if (!(error > 0 && error <= 100)) {
      throw new IllegalArgumentException(
          "a warm-up ends when the training error is below a bound above 0 and up to 100 %, but it is "
              + error);
    }
  }

  /// Makes the schedule of a training that has not begun.
  public WarmUpUntil(Schedule then, double learningRate, double error) {
    this(then, learningRate, error, false);
  }

  @Override
  public double at(long step, long steps) {
    return over ? then.at(step, steps) : learningRate * 0.1;
  }

  @Override
  public WarmUpUntil after(List<EpochEnd> epochs) {
    boolean below = epochs.stream().anyMatch(epoch -> epoch.trainingError() < error);
    return new WarmUpUntil(then.after(epochs), learningRate, error, below);
  }
}
