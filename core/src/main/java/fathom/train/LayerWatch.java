package fathom.train;

import fathom.DType;
import fathom.Node;
import fathom.Param;
import fathom.Scope;
import fathom.Tensor;
import fathom.train.Recording.Quantity;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/// Measures every weight, which is a trained parameter of two or more dimensions, before and after
/// one step. It costs a copy of the weights and two passes over them.
final class LayerWatch {
  private final SequencedMap<String, Param> weights = new LinkedHashMap<>();
  private final List<Metrics.Layers.Entry> gradients = new ArrayList<>();
  private final SequencedMap<String, Tensor> before;

  /// Measures before the step: the norms of gradients and a copy of the weights, as far as `watch`
  /// needs them. The copy lives in the innermost scope.
  LayerWatch(Node net, List<Quantity> watch) {
    net.state()
        .forEach((path, param) -> {
          if (param.trained() && param.value().shape().rank() > 1) {
            weights.put(path, param);
          }
        });
    if (watch.contains(Quantity.GRADIENTS)) {
      weights.forEach(
          (path, param) -> gradients.add(new Metrics.Layers.Entry(path, norm(param.grad()))));
    }
    before = watch.contains(Quantity.UPDATES) ? copies(weights) : new LinkedHashMap<>();
  }

  /// Measures after the step, which was the last of `step` steps, how far the weights moved. The
  /// list of layer responses stays empty.
  Metrics.Watch moved(long step) {
    var updates = new ArrayList<Metrics.Layers.Entry>();
    before.forEach((path, old) -> {
      Param param = weights.get(path);
      if (param != null) {
        updates.add(new Metrics.Layers.Entry(path, moved(old, param.value())));
      }
    });
    return new Metrics.Watch(step, gradients, List.of(), updates);
  }

  private static SequencedMap<String, Tensor> copies(SequencedMap<String, Param> weights) {
    var copies = new LinkedHashMap<String, Tensor>();
    weights.forEach((path, param) -> copies.put(path, param.value().times(1)));
    return copies;
  }

  /// ‖ΔW‖/‖W‖. A weight that was zero has no such ratio; it counts as 1 if it moved.
  private static double moved(Tensor before, Tensor after) {
    try (var _ = Scope.open()) {
      double was = norm(before);
      double by = norm(after.minus(before));
      return was > 0 ? by / was : by > 0 ? 1 : 0;
    }
  }

  private static double norm(Tensor t) {
    try (var _ = Scope.open()) {
      return Math.sqrt(t.to(DType.FLOAT64).square().sum().item());
    }
  }
}
