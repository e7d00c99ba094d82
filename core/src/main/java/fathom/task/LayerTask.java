package fathom.task;

import fathom.Layer;
import fathom.Param;
import fathom.Tensor;
import fathom.nn.Frozen;
import fathom.nn.Fused;
import fathom.nn.RunningStatistics;
import fathom.nn.Watched;
import java.util.function.Predicate;

/// A task for nets that are any [Layer]. It fuses them by [Fused], freezes their layers by
/// [Frozen], estimates running statistics by [RunningStatistics], and watches them by [Watched].
public interface LayerTask extends Task<Layer> {
  @Override
  default Layer fused(Layer net) {
    return Fused.of(net);
  }

  @Override
  default Layer frozen(Layer net, Predicate<Param> frozen) {
    return Frozen.of(net, frozen);
  }

  @Override
  default Layer averaged(Layer net, double share) {
    return RunningStatistics.averaged(net, share);
  }

  @Override
  default Layer watched(Layer net, Watch watch) {
    return Watched.leaves(
        net,
        new Watched.Observer() {
          @Override
          public void value(String path, Layer layer, Tensor y) {
            watch.activation(path, layer, y);
          }

          @Override
          public void cotangent(String path, Layer layer, Tensor dy) {
            watch.cotangent(path, layer, dy);
          }
        });
  }
}
