package fathom.task;

import fathom.Node;

/// What a net learns, and from what. A training asks it once for each worker for a [Session], and
/// asks the session for everything else.
///
/// A task has no state of its own: one object serves any number of trainings and workers at a time.
///
/// @param <N> the nets that can learn it: [fathom.Layer] for a function of one tensor, or a node of
///   a class of its own
public interface Task<N extends Node> {
  /// One worker's part of a training of this task.
  Session<N> open(Setting setting);

  /// Whether an epoch with the figures `now` is better than one with `before`, which decides what
  /// the best epoch of a training is: by the loss, unless a task knows better.
  default boolean better(Figures now, Figures before) {
    return now.loss() < before.loss();
  }

  /// The net as steps run it: the same function over the same parameters, by faster layers.
  default N fused(N net) {
    return net;
  }

  /// The net as it is searched for the layer at which numbers stop being finite: the same function,
  /// of which `watch` sees every activation and cotangent. What is returned as it came is not
  /// searched, and a divergence then names the first parameter whose gradient is not finite.
  default N watched(N net, Watch watch) {
    return net;
  }

  /// What this task is called in messages and in the description of a run: by its class, if that
  /// has a name in the source.
  default String name() {
    Class<?> own = getClass();
    return own.isHidden() || own.isAnonymousClass() ? "of the program" : own.getSimpleName();
  }
}
