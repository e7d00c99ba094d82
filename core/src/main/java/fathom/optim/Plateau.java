package fathom.optim;

import java.util.List;

/// A learning rate that is divided by ten "when the error plateaus" (He et al. 2016, section 3.4):
/// each time that so many epochs in succession have not been better than the best one before them.
/// The paper does not say how long it waits; waiting is the schedule's own decision here.
///
/// The value is the schedule as far as it is known: [#after] returns that of the next steps. It
/// depends on nothing but the epochs' evaluations, which a run stores, so resuming needs no more.
///
/// @param learningRate η
/// @param warmUp the number of steps at the start that use the learning rate 0.1·η
/// @param patience the number of epochs without improvement after which η is divided, at least 1
/// @param divisions how often η has been divided
public record Plateau(double learningRate, long warmUp, int patience, int divisions)
    implements Schedule {
  /// The usual patience in epochs.
  public static final int PATIENCE = 5;

  /// Throws `IllegalArgumentException` unless the learning rate is positive and finite, the warm-up
  /// 0 or more steps, the patience at least 1 epoch and the divisions 0 or more.
  public Plateau {
    Schedule.check(learningRate, warmUp);
    if (patience < 1 || divisions < 0) {
      throw new IllegalArgumentException(
          "a learning rate waits for at least 1 epoch and has been divided 0 or more times, but has patience %s and %s divisions"
              .formatted(patience, divisions));
    }
  }

  /// Makes the schedule of a training that has not begun.
  public Plateau(double learningRate, long warmUp, int patience) {
    this(learningRate, warmUp, patience, 0);
  }

  @Override
  public double at(long step, long steps) {
    return step < warmUp ? learningRate * 0.1 : learningRate * StrictMath.pow(10, -divisions);
  }

  @Override
  public Plateau after(List<EpochEnd> epochs) {
    int divided = 0;
    int waited = 0;
    for (EpochEnd epoch : epochs) {
      waited = epoch.improved() ? 0 : waited + 1;
      if (waited == patience) {
        divided++;
        waited = 0;
      }
    }
    return new Plateau(learningRate, warmUp, patience, divided);
  }
}
