package fathom.task;

import fathom.Node;
import fathom.Param;
import java.util.function.Predicate;

/// The goal of a training, with its data: what a net learns, and from what. A training asks it once
/// for each worker for a [Session], and asks the session for everything else.
///
/// A task has no state of its own, so one object serves any number of trainings and workers at the
/// same time.
///
/// @param <N> the nets that can learn it: [fathom.Layer] for a function of one tensor, or a node of
///   a class of its own
public interface Task<N extends Node> {
  /// Opens one worker's part of a training of this task.
  Session<N> open(Setting setting);

  /// Returns whether an epoch with the figures `now` is better than one with `before`. This decides
  /// which epoch of a training is the best. The default compares the losses.
  default boolean better(Figures now, Figures before) {
    return now.loss() < before.loss();
  }

  /// Returns the net in the form in which steps run it: the same function of the same parameters,
  /// by faster layers.
  default N fused(N net) {
    return net;
  }

  /// Returns the net in the form in which these parameters and buffers are not trained: layers that
  /// have no others behave as in evaluation, and get no gradients. The default throws
  /// `IllegalArgumentException`, for nets whose layers cannot be told apart.
  default N frozen(N net, Predicate<Param> frozen) {
    throw new IllegalArgumentException(
        "layers can be frozen of a net that is a Layer, but the task %s has another"
            .formatted(name()));
  }

  /// Returns the net in the form whose forward passes move its running statistics by this share of
  /// the way to those of the batch; see [fathom.nn.RunningStatistics]. The default returns `net`,
  /// for nets that have none.
  default N averaged(N net, double share) {
    return net;
  }

  /// Returns the net in a form that shows `watch` every activation and cotangent, to search for the
  /// layer at which numbers stop being finite. It is the same function. A task that returns `net`
  /// itself does not support the search; a divergence then names the first parameter whose gradient
  /// is not finite.
  default N watched(N net, Watch watch) {
    return net;
  }

  /// Returns the name of this task for messages and for the description of a run: that of its
  /// class, if the class has a name in the source.
  default String name() {
    Class<?> own = getClass();
    return own.isHidden() || own.isAnonymousClass() ? "of the program" : own.getSimpleName();
  }
}
