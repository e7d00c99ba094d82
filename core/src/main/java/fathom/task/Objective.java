package fathom.task;

import fathom.Layer;
import fathom.Tensor;
import fathom.Traced;

/// What one worker's share of a batch came to, and the way back from it.
///
/// @param loss its share of the mean loss of the batch
/// @param counts its share of what a task counts besides, in the task's order
/// @param back adds the gradients of all parameters; runs at most once
public record Objective(double loss, double[] counts, Runnable back) {
  /// The share of a worker that has no example of the batch.
  public static Objective none(int counts) {
    return new Objective(0, new double[counts], () -> {});
  }

  /// A loss over the output of a net, both traced: back goes through the loss, then through the
  /// net.
  public static Objective of(Traced output, Traced loss, double... counts) {
    return new Objective(
        loss.value().item(),
        counts,
        () -> output.accumulate(loss.back(Tensor.scalar(loss.value().type(), 1))));
  }

  /// Forward through the net, and the loss of what it gives.
  public static Objective of(Layer net, Tensor x, Loss loss) {
    Traced y = net.forward(x);
    return of(y, loss.of(y.value()));
  }

  /// A loss as a function of what a net gives, whose value has no dimensions.
  @FunctionalInterface
  public interface Loss {
    Traced of(Tensor y);
  }
}
