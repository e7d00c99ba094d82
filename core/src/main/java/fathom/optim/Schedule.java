package fathom.optim;

import java.util.Arrays;
import java.util.List;

/// The learning rate as a function of the step and of the number of all steps. If it depends on how
/// the epochs went, [#after] says how; their evaluations are stored with a run, so resuming needs
/// no schedule state.
///
/// A schedule that is stored with a run must be a record, because its components are compared when
/// the run is resumed.
@FunctionalInterface
public interface Schedule {
  /// The number of warm-up steps for deep nets. The residual paper warms its 110-layer net up
  /// "until the training error is below 80 % (about 400 iterations)"; a fixed number keeps the
  /// learning rate a function of the step. [WarmUpUntil] goes by the error.
  long WARM_UP_STEPS = 400;

  /// Returns the learning rate of step `step`, counted from 0, of `steps` steps.
  double at(long step, long steps);

  /// How an epoch went.
  ///
  /// @param improved whether it was better than all before it
  /// @param trainingError the training error in %, over the epoch; NaN if the task has none
  record EpochEnd(boolean improved, double trainingError) {}

  /// Returns the schedule of the steps that follow these epochs, in their order. Most schedules do
  /// not depend on them.
  default Schedule after(List<EpochEnd> epochs) {
    return this;
  }

  /// Returns a constant learning rate.
  static StepDecay constant(double learningRate) {
    return steps(learningRate);
  }

  /// Returns a learning rate that is divided by ten at these fractions of all steps; see
  /// [StepDecay].
  static StepDecay steps(double learningRate, double... fractions) {
    return new StepDecay(learningRate, 0, Arrays.stream(fractions).boxed().toList());
  }

  /// Returns a learning rate that falls to 0 along half a wave of the cosine; see [Cosine].
  static Cosine cosine(double learningRate) {
    return new Cosine(learningRate, 0);
  }

  /// Returns a learning rate that rises and falls once; see [OneCycle].
  static OneCycle oneCycle(double learningRate) {
    return new OneCycle(learningRate);
  }

  /// Throws `IllegalArgumentException` unless the learning rate is positive and finite and the
  /// warm-up 0 or more steps.
  static void check(double learningRate, long warmUp) {
    if (!(learningRate > 0) || Double.isInfinite(learningRate) || warmUp < 0) {
      throw new IllegalArgumentException(
          "a schedule has a positive learning rate and 0 or more steps of warm-up, but has %s and %s"
              .formatted(learningRate, warmUp));
    }
  }

  /// Returns the point between `from` and `to` along half a wave of the cosine after the fraction
  /// `part`, 0 to 1, of it.
  static double halfWave(double from, double to, double part) {
    return to + (from - to) * 0.5 * (1 + StrictMath.cos(Math.PI * part));
  }
}
