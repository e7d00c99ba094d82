package fathom.train;

import fathom.task.Figures;
import org.jspecify.annotations.Nullable;

/// Hears how a training goes, in this order: [#begin]; for each step [#before], [#gradients],
/// [#moved] and [#step]; at the end of each epoch [#save] and [#epoch]; and at last [#end]. Where a
/// training stops inside an epoch, [#save] and [#end] follow.
///
/// Called by the first worker alone, while the others wait; among several listeners in the order in
/// which they were given, those that write files first. One that throws ends the training, with the
/// last checkpoint whole.
public interface Listener {
  /// The training begins, or goes on.
  ///
  /// @param evaluated false if it goes on where an epoch has ended that is still to be evaluated
  default void begin(Moment now, boolean evaluated) {}

  default void before(Moment now) {}

  /// Gradients are summed over the workers and not clipped, and the weights are as they were.
  default void gradients(Moment now) {}

  /// The optimizer has moved the weights; the step is still to be counted.
  default void moved(Moment now) {}

  /// The step has been made.
  default void step(Moment now) {}

  /// A position from which the training can go on: at the end of each epoch, before it is
  /// evaluated, because that may take long, and where the training stops.
  default void save(Moment now) {}

  /// An epoch has ended and was evaluated.
  ///
  /// @param best whether it is the best so far
  default void epoch(Moment now, Metrics.Epoch epoch, boolean best) {}

  /// The training has ended, or stops.
  default void end(Moment now, Outcome outcome) {}

  /// How a training ended.
  ///
  /// @param finished false if it was asked to stop before
  /// @param step how many steps had been made, of `steps`
  /// @param training all that was trained with, as it is; null unless finished
  /// @param test all that is for testing; null unless finished
  record Outcome(
      boolean finished,
      long step,
      long steps,
      @Nullable Figures training,
      @Nullable Figures test,
      double seconds,
      double examplesPerSecond) {}
}
