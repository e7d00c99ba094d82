package fathom.train;

import fathom.DType;
import fathom.Layer;
import fathom.Param;
import fathom.Scope;
import fathom.Tensor;
import fathom.Traced;
import fathom.loss.CrossEntropy;
import fathom.nn.BatchNorm;
import fathom.nn.LayerNorm;
import fathom.nn.Watched;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Set;

/// Looks at the layers of a net during one forward and back, and leaves the net as it was.
final class LayerReport {
  private LayerReport() {}

  /// The state of the plain `net` on one batch, after `step` steps.
  static Metrics.Layers of(Layer net, Tensor x, int[] labels, long step) {
    var buffers = new LinkedHashMap<Param, double[]>();
    for (Param param : net.state().values()) {
      if (!param.trained()) {
        buffers.put(param, param.value().toDoubles());
      }
    }
    try (var _ = Scope.open()) {
      var responses = new ArrayList<Metrics.Layers.Entry>();
      Layer watched = Watched.leaves(net, observer(responses));
      Traced traced = watched.forward(x);
      Traced loss = CrossEntropy.of(traced.value(), labels);
      traced.accumulate(loss.back(Tensor.scalar(DType.FLOAT32, 1)));
      return new Metrics.Layers(step, responses, gradients(net));
    } finally {
      net.params().forEach(param -> param.grad().zero_());
      buffers.forEach((param, before) -> param.value().copy_(before));
    }
  }

  private static Watched.Observer observer(List<Metrics.Layers.Entry> responses) {
    return new Watched.Observer() {
      private final Set<String> seen = new HashSet<>();

      // What is computed again on the way back is the same again.
      @Override
      public void value(String path, Layer layer, Tensor y) {
        if ((layer instanceof BatchNorm || layer instanceof LayerNorm) && seen.add(path)) {
          responses.add(new Metrics.Layers.Entry(path, deviation(y)));
        }
      }
    };
  }

  private static List<Metrics.Layers.Entry> gradients(Layer net) {
    var gradients = new ArrayList<Metrics.Layers.Entry>();
    net.state()
        .forEach((path, param) -> {
          if (param.trained() && param.value().shape().rank() > 1) {
            gradients.add(new Metrics.Layers.Entry(path, norm(param.grad())));
          }
        });
    return gradients;
  }

  private static double norm(Tensor t) {
    try (var _ = Scope.open()) {
      return Math.sqrt(t.to(DType.FLOAT64).square().sum().item());
    }
  }

  private static double deviation(Tensor t) {
    try (var _ = Scope.open()) {
      Tensor doubles = t.to(DType.FLOAT64);
      double n = t.shape().elements();
      double mean = doubles.sum().item() / n;
      return Math.sqrt(doubles.plus(-mean).square().sum().item() / n);
    }
  }
}
