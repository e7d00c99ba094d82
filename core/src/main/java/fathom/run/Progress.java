package fathom.run;

import com.fasterxml.jackson.annotation.JsonProperty;
import fathom.train.Metrics;

/// Hears how a training goes. Called by one worker, between steps: what it does, the training waits
/// for.

public interface Progress {
  /// A step that ended, with the means over the epoch so far.
  ///
  /// @param step how many steps have ended, of `steps`
  /// @param loss the mean loss of the epoch so far
  /// @param error the error of the epoch so far, in percent
  record StepEnd(
      long step,
      long steps,
      int epoch,
      int epochs,
      double loss,
      double error,
      @JsonProperty("rate") double learningRate,
      double examplesPerSecond) {}

  default void step(StepEnd step) {}

  default void epoch(Metrics.Epoch epoch) {}

  /// Hears nothing.
  Progress NONE = new Progress() {};
}
