package fathom.train;

import java.util.List;

/// What a training records besides its learning curves. It changes no result.
///
/// @param watch the quantities that are measured of each layer at the end of every epoch, in the
///   order of [Quantity]
/// @param tensorboard whether events for TensorBoard are written, into the folder `tensorboard` of
///   the run
public record Recording(List<Quantity> watch, boolean tensorboard) {
  public static final Recording NONE = new Recording(List.of(), false);

  /// A quantity that is measured of each layer.
  public enum Quantity {
    /// ‖dE/dW‖ of a weight in the last step of the epoch, over all workers and before clipping.
    GRADIENTS,
    /// The standard deviation of the layer response of a norm over a fixed batch (He et al. 2016,
    /// figure 7).
    RESPONSES,
    /// ‖ΔW‖/‖W‖ of a weight in the last step of the epoch.
    UPDATES
  }

  public Recording {
    watch = watch.stream().distinct().sorted().toList();
  }
}
