package fathom.run;

import com.fasterxml.jackson.annotation.JsonProperty;
import fathom.train.Metrics;

/// Is told of the progress of a training. One worker calls it between steps, and the training waits
/// until it returns.
public interface Progress {
  /// The end of a step, with the means over the epoch so far.
  ///
  /// @param step the number of steps that have ended, of `steps`
  /// @param steps the number of steps of the whole training
  /// @param epoch the number of the epoch, from 1
  /// @param epochs the number of epochs of the whole training
  /// @param loss the mean loss of the epoch so far
  /// @param error the error of the epoch so far, in percent; NaN if the task has none
  /// @param learningRate the learning rate of the step
  /// @param examplesPerSecond the throughput of the epoch so far
  record StepEnd(
      long step,
      long steps,
      int epoch,
      int epochs,
      double loss,
      double error,
      @JsonProperty("rate") double learningRate,
      double examplesPerSecond) {}

  /// A step has ended.
  default void step(StepEnd step) {}

  /// An epoch has ended and was evaluated.
  default void epoch(Metrics.Epoch epoch) {}

  /// A progress that ignores everything.
  Progress NONE = new Progress() {};
}
