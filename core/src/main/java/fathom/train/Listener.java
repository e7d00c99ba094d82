package fathom.train;

import fathom.task.Figures;
import org.jspecify.annotations.Nullable;

/// Is called at the events of a training, in this order: [#begin]; for each step [#before],
/// [#gradients], [#moved] and [#step]; at the end of each epoch [#save] and [#epoch]; and finally
/// [#end]. If a training stops inside an epoch, [#save] and [#end] follow.
///
/// Only the first worker calls listeners, while the others wait. It calls several listeners in the
/// order in which they were given, those that write files first. A listener that throws ends the
/// training; the last checkpoint stays intact.
public interface Listener {
  /// The training begins or continues.
  ///
  /// @param evaluated false if the training continues after an epoch that has ended but has not
  ///   been evaluated
  default void begin(Moment now, boolean evaluated) {}

  /// A step begins.
  default void before(Moment now) {}

  /// The gradients have been summed over the workers but not clipped, and the weights have not
  /// changed.
  default void gradients(Moment now) {}

  /// The optimizer has changed the weights, but the step does not count yet.
  default void moved(Moment now) {}

  /// The step has been made.
  default void step(Moment now) {}

  /// The training is at a position from which it can continue. This is so at the end of each epoch,
  /// before its evaluation, because that may take long, and where the training stops.
  default void save(Moment now) {}

  /// An epoch has ended and was evaluated.
  ///
  /// @param best whether it is the best epoch so far
  default void epoch(Moment now, Metrics.Epoch epoch, boolean best) {}

  /// The training has ended or stops.
  default void end(Moment now, Outcome outcome) {}

  /// The end of a training.
  ///
  /// @param finished false if the training was asked to stop before its end; true with fewer than
  ///   `steps` steps if it stopped early, see [EarlyStopping]
  /// @param step the number of steps that had been made, of `steps`
  /// @param steps the number of steps of the whole training
  /// @param training the evaluation of all training data, without augmentation; null unless
  ///   finished
  /// @param test the evaluation of all test data; null unless finished, and if the task holds
  ///   nothing out
  /// @param seconds the time of the training without interruptions
  /// @param examplesPerSecond the throughput of the last epoch
  record Outcome(
      boolean finished,
      long step,
      long steps,
      @Nullable Figures training,
      @Nullable Figures test,
      double seconds,
      double examplesPerSecond) {}
}
