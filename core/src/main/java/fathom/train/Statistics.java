package fathom.train;

import fathom.Node;
import fathom.Param;
import fathom.Scope;
import fathom.parallel.Collective;
import fathom.parallel.Step;
import fathom.task.Session;
import fathom.task.Task;

/// Estimates running statistics anew at the end of an epoch, early in a training, so that an
/// evaluation agrees with the training: the weights then change faster than the averages of batch
/// norm follow. Running statistics change no step, so a training computes the same weights without.
final class Statistics {
  /// The steps in which statistics are estimated anew. Batch norm's averages have forgotten all but
  /// 0.9^100 of their start then.
  private static final long EARLY = 100;

  /// Enough examples for a mean, and enough batches if they are small.
  private static final int EXAMPLES = 1000;

  private static final int BATCHES = 10;

  private Statistics() {}

  /// Gives all workers the first worker's buffers. They may differ, because the statistics of batch
  /// norm may be those of each worker's share.
  static void share(Node net, Collective all) {
    for (Param param : net.state().values()) {
      if (!param.trained()) {
        all.broadcast(param.value(), 0);
      }
    }
  }

  /// Estimates the statistics of the net from the last batches of the epoch that has just ended, as
  /// all workers together see them.
  ///
  /// @param statistics the workers over whose shares batch norm takes its statistics
  /// @param step the number of steps made
  static <N extends Node> void estimate(
      Session<N> session,
      Task<N> task,
      N net,
      Plan plan,
      Collective all,
      Collective statistics,
      long step) {
    if (step > EARLY || net.state().values().stream().allMatch(Param::trained)) {
      return;
    }
    int batches = session.steps();
    int first = batches;
    for (int examples = 0;
        first > 0 && (examples < EXAMPLES || batches - first < BATCHES);
        first--) {
      examples += session.examples(first - 1);
    }
    double seen = 0;
    for (int batch = first; batch < batches; batch++) {
      int at = batch;
      int examples = session.examples(batch);
      seen += examples;
      N form = task.averaged(net, examples / seen);
      try (var _ = Scope.open()) {
        new Step(plan.seed(), step - batches + batch, all, examples, statistics)
            .run(() -> session.forward(form, at).counts().length);
      }
    }
  }
}
