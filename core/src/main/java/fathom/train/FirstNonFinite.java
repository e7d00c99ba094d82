package fathom.train;

import fathom.DType;
import fathom.Layer;
import fathom.Node;
import fathom.Param;
import fathom.Scope;
import fathom.Tensor;
import fathom.nn.Watched;
import fathom.recurrent.WatchedSteps;
import fathom.task.Watch;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Finds the layer at which numbers first stop being finite.
final class FirstNonFinite implements Watched.Observer, WatchedSteps.Observer, Watch {
  private @Nullable String found;

  /// A description of the place for a message; null if all numbers were finite.
  @Nullable String found() {
    return found;
  }

  @Override
  public void value(String path, Layer layer, Tensor y) {
    value(path, (Node) layer, y);
  }

  @Override
  public void cotangent(String path, Layer layer, Tensor dy) {
    cotangent(path, (Node) layer, dy);
  }

  @Override
  public void value(String path, Node node, Tensor y) {
    note("the activation of layer %s (%s) is not finite".formatted(path, node), y);
  }

  @Override
  public void cotangent(String path, Node node, Tensor dy) {
    note("the gradient that reaches layer %s (%s) is not finite".formatted(path, node), dy);
  }

  @Override
  public void activation(String path, Node layer, Tensor y) {
    value(path, layer, y);
  }

  private void note(String what, Tensor t) {
    try (var _ = Scope.open()) {
      if (found == null && !Double.isFinite(t.to(DType.FLOAT64).sum().item())) {
        found = what;
      }
    }
  }

  /// Describes the first parameter whose gradient is not finite. It is for the case that every
  /// activation and cotangent is finite and only a sum of their products is not.
  static String gradient(Node net) {
    for (Map.Entry<String, Param> entry : net.state().entrySet()) {
      try (var _ = Scope.open()) {
        Param param = entry.getValue();
        if (param.trained() && !Double.isFinite(param.grad().to(DType.FLOAT64).sum().item())) {
          return "the gradient of %s is not finite".formatted(entry.getKey());
        }
      }
    }
    return "the loss is not finite";
  }
}
