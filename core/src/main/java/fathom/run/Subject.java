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

/// What is trained, before it has workers.
public record Subject<N extends Node>(Function<Init, N> net, Task<N> task) {
  Listener.Outcome train(
      Plan plan, List<Listener> listeners, Training.Past past, BooleanSupplier stop) {
    return new Training<>(net, task, plan, listeners, past, stop).run();
  }
}
