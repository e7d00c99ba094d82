package fathom.train;

import fathom.Node;
import fathom.Param;
import fathom.Scope;
import fathom.task.Objective;
import fathom.task.Session;
import java.util.LinkedHashMap;

/// A look at the layers of a net during one forward and back, which leaves the net as it was.
final class Probe {
  private Probe() {}

  /// Whether the task has examples to look with; `then` runs while `net` has their gradients.
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
