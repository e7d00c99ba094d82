package fathom.optim;

import java.util.Arrays;

/// The learning rate as a function of the step and of how many there are in all. It depends on
/// nothing else, so that resuming needs nothing else.
///
/// A schedule that is written into the description of a run is a record: its components are what is
/// compared when the run goes on.
@FunctionalInterface
public interface Schedule {
  /// The paper warms 110 layers up "until the training error is below 80 % (about 400 iterations)".
  /// A number of steps keeps the learning rate a function of the step.
  long WARM_UP_STEPS = 400;

  /// The learning rate of step `step`, counted from 0, of `steps`.
  double at(long step, long steps);

  /// The same learning rate from the first step to the last.
  static StepDecay constant(double learningRate) {
    return steps(learningRate);
  }

  /// Divided by ten at these fractions of all steps; see [StepDecay].
  static StepDecay steps(double learningRate, double... fractions) {
    return new StepDecay(learningRate, 0, Arrays.stream(fractions).boxed().toList());
  }

  /// Down to 0 along half a wave; see [Cosine].
  static Cosine cosine(double learningRate) {
    return new Cosine(learningRate, 0);
  }

  /// Up and down again; see [OneCycle].
  static OneCycle oneCycle(double learningRate) {
    return new OneCycle(learningRate);
  }

  static void check(double learningRate, long warmUp) {
    if (!(learningRate > 0) || Double.isInfinite(learningRate) || warmUp < 0) {
      throw new IllegalArgumentException(
          "a schedule has a positive learning rate and 0 or more steps of warm-up, but has %s and %s"
              .formatted(learningRate, warmUp));
    }
  }

  /// From `from` to `to` along half a wave of the cosine, for a part from 0 to 1 of the way.
  static double halfWave(double from, double to, double part) {
    return to + (from - to) * 0.5 * (1 + StrictMath.cos(Math.PI * part));
  }
}
