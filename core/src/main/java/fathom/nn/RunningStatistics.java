package fathom.nn;

import fathom.Layer;
import fathom.Param;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;
import java.util.Map;

/// Estimates the running statistics of batch norm anew, with the weights as they are.
///
/// Running statistics average over the last steps, in which the weights change. Early in a training
/// they change so fast that no weighting of the past fits the present weights. The remedy is to
/// pass some batches through the net as it is, and to average their statistics alone (Wu and
/// Johnson 2021, "Rethinking 'batch' in BatchNorm", section 3: precise BatchNorm).
public final class RunningStatistics {
  private RunningStatistics() {}

  /// Returns the net in the form whose forward passes, in training, move the running statistics by
  /// this share of the way to those of the batch. With the shares 1, 1/2, 1/3, ... for successive
  /// batches they become the mean over these batches. The form has no pullback. Layers that are
  /// [Frozen] keep their statistics.
  public static Layer averaged(Layer net, double share) {
    return Layer.map(
        net, (_, layer) -> layer instanceof BatchNorm norm ? new Averaged(norm, share) : layer);
  }

  private record Averaged(BatchNorm norm, double share) implements Layer {
    @Override
    public Traced forward(Tensor x) {
      return new Traced(
          norm.average(x, share),
          _ -> {
            throw new IllegalStateException("running statistics are estimated by forward passes");
          });
    }

    @Override
    public Tensor predict(Tensor x) {
      return norm.predict(x);
    }

    @Override
    public Shape shape(Shape x) {
      return norm.shape(x);
    }

    @Override
    public Map<String, Param> own() {
      return norm.own();
    }

    @Override
    public String toString() {
      return norm.toString();
    }
  }
}
