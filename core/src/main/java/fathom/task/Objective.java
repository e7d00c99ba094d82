package fathom.task;

import fathom.Layer;
import fathom.Tensor;
import fathom.Traced;

/// The loss of one worker's share of a batch, with the backward pass from it.
///
/// @param loss this worker's share of the mean loss of the batch
/// @param counts this worker's share of what the task counts besides the loss, in the task's order
/// @param back the backward pass, which adds the gradients of all parameters; runs at most once
public record Objective(double loss, double[] counts, Runnable back) {
  /// Returns the objective of a worker that has no example of the batch.
  public static Objective none(int counts) {
    return new Objective(0, new double[counts], () -> {});
  }

  /// Returns the objective of a traced loss over the traced output of a net. Its backward pass goes
  /// through the loss and then through the net.
  public static Objective of(Traced output, Traced loss, double... counts) {
    return new Objective(
        loss.value().item(),
        counts,
        () -> output.accumulate(loss.back(Tensor.scalar(loss.value().type(), 1))));
  }

  /// Runs the forward pass through a net and computes the loss of its output.
  public static Objective of(Layer net, Tensor x, Loss loss) {
    Traced y = net.forward(x);
    return of(y, loss.of(y.value()));
  }

  /// A loss as a function of a net's output. Its value is a tensor without dimensions.
  @FunctionalInterface
  public interface Loss {
    Traced of(Tensor y);
  }
}
