package fathom.lab.instrument;

import fathom.Node;
import fathom.Param;
import fathom.Tensor;
import java.util.List;
import java.util.function.Function;

/// The norms of the weights of each layer and of their gradients, from the input on. A weight is a
/// trained parameter with two or more dimensions. The cost is one pass over the parameters.
///
/// @param paths the paths of the weights in their net
/// @param gradients ‖dE/dW‖ of the current [Param#grad()]
/// @param weights ‖W‖
public record Gradients(List<String> paths, double[] gradients, double[] weights) {
  /// Measures the net's weights and gradients as they are now.
  public static Gradients of(Node net) {
    var paths =
        net.state().entrySet().stream()
            .filter(e -> e.getValue().trained() && e.getValue().value().shape().rank() > 1)
            .map(e -> e.getKey())
            .toList();
    return new Gradients(paths, norms(net, Param::grad), norms(net, Param::value));
  }

  private static double[] norms(Node net, Function<Param, Tensor> of) {
    return net.params().stream()
        .filter(p -> p.value().shape().rank() > 1)
        .mapToDouble(p -> Rows.norm(of.apply(p)))
        .toArray();
  }
}
