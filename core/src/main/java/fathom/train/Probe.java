package fathom.train;

import fathom.Node;
import fathom.Param;
import fathom.Scope;
import fathom.task.Objective;
import fathom.task.Session;
import java.util.LinkedHashMap;

/// Runs one forward and backward pass to measure the layers of a net, and leaves the net as it was.
final class Probe {
  private Probe() {}

  /// Runs `then` while `net` has the gradients of the probe. Returns false if the task has no
  /// examples to probe.
  static <N extends Node> boolean of(Session<N> session, N net, N watched, Runnable then) {
    var buffers = new LinkedHashMap<Param, double[]>();
    for (Param param : net.state().values()) {
      if (!param.trained()) {
        buffers.put(param, param.value().toDoubles());
      }
    }
    try (var _ = Scope.open()) {
      Objective seen = session.probe(watched);
      if (seen == null) {
        return false;
      }
      seen.back().run();
      then.run();
      return true;
    } finally {
      net.params().forEach(param -> param.grad().zero_());
      buffers.forEach((param, before) -> param.value().copy_(before));
    }
  }
}
