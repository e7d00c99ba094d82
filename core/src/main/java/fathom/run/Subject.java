package fathom.run;

import fathom.Node;
import fathom.nn.Init;
import fathom.task.Task;
import fathom.train.Listener;
import fathom.train.Plan;
import fathom.train.Training;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/// The net and the task of a training, before it has workers.
///
/// @param net builds the net with weights from an [Init]
/// @param task the task
public record Subject<N extends Node>(Function<Init, N> net, Task<N> task) {
  /// Returns the same subject with a net that begins with these weights.
  Subject<N> from(FineTuning weights) {
    if (!weights.isGiven()) {
      return this;
    }
    weights.checkFile();
    var head = new FittedHead();
    return new Subject<>(
        init -> {
          N filled = net.apply(init);
          weights.fill(filled, task, head);
          return filled;
        },
        task);
  }

  Listener.Outcome train(
      Plan plan,
      List<Listener> listeners,
      Training.Past past,
      BooleanSupplier stop,
      Training.Distributed distributed) {
    return new Training<>(net, task, plan, listeners, past, stop, distributed).run();
  }
}
