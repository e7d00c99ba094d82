package fathom.train;

import fathom.DType;
import fathom.Node;
import fathom.Scope;
import fathom.Tensor;
import fathom.nn.BatchNorm;
import fathom.nn.LayerNorm;
import fathom.task.Watch;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Measures the layers of a net in one forward and backward pass over a few training examples: the
/// standard deviation of the layer response of each norm (He et al. 2016, figure 7), and the norm
/// of the gradient of each weight.
public final class LayerReport implements Watch {
  private final List<Metrics.Layers.Entry> responses = new ArrayList<>();
  private final Set<String> seen = new HashSet<>();

  private LayerReport() {}

  /// Measures the layers of the training as it is now. Returns null if its task has no examples to
  /// probe.
  public static Metrics.@Nullable Layers of(Moment now) {
    var report = new LayerReport();
    var gradients = new ArrayList<Metrics.Layers.Entry>();
    boolean looked = now.probe(report, () -> gradients.addAll(gradients(now.net())));
    return looked ? new Metrics.Layers(now.step(), report.responses, gradients) : null;
  }

  /// An activation that the backward pass recomputes comes a second time with the same elements, so
  /// only the first counts.
  @Override
  public void activation(String path, Node layer, Tensor y) {
    if ((layer instanceof BatchNorm || layer instanceof LayerNorm) && seen.add(path)) {
      responses.add(new Metrics.Layers.Entry(path, standardDeviation(y)));
    }
  }

  @Override
  public void cotangent(String path, Node layer, Tensor dy) {}

  private static List<Metrics.Layers.Entry> gradients(Node net) {
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

  private static double standardDeviation(Tensor t) {
    try (var _ = Scope.open()) {
      Tensor doubles = t.to(DType.FLOAT64);
      double n = t.shape().elements();
      double mean = doubles.sum().item() / n;
      return Math.sqrt(doubles.plus(-mean).square().sum().item() / n);
    }
  }
}
