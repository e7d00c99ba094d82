package fathom.loss;

import fathom.Scope;
import fathom.Tensor;
import fathom.Traced;
import fathom.parallel.Step;
import java.util.Arrays;

/// Half the squared error: (1/2n)·Σ (y − t)² over all elements of y, where n counts the examples of
/// the whole batch over all workers. Its derivative is (y − t)/n.
public final class SquaredError {
  private SquaredError() {}

  /// Returns the loss of `y`, N rows of any shape, against N targets with as many elements as a
  /// row. Throws `IllegalArgumentException` if these numbers differ.
  public static Traced of(Tensor y, float[][] targets) {
    long[] shape = y.shape().toArray();
    int rows = Math.toIntExact(shape[0]);
    int size = rows == 0 ? 0 : Math.toIntExact(y.shape().elements() / rows);
    if (rows != targets.length || Arrays.stream(targets).anyMatch(t -> t.length != size)) {
      throw new IllegalArgumentException(
          "a target has as many numbers as a row of what the net gives, but the net gives %s and there are %s targets of %s"
              .formatted(y.shape(), targets.length, targets.length == 0 ? 0 : targets[0].length));
    }
    float[] flat = new float[rows * size];
    for (int i = 0; i < rows; i++) {
      System.arraycopy(targets[i], 0, flat, i * size, size);
    }
    return of(y, Tensor.of(flat, shape).to(y.type()));
  }

  /// Returns the loss of `y` against targets of its shape and type, with a row for each example.
  /// Throws `IllegalArgumentException` if shape or type differ, because the subtraction would
  /// silently repeat the smaller tensor.
  public static Traced of(Tensor y, Tensor targets) {
    if (!y.shape().equals(targets.shape()) || y.type() != targets.type()) {
      throw new IllegalArgumentException(
          "targets have the shape and type of what the net gives, %s %s, but these are %s %s"
              .formatted(y.shape(), y.type(), targets.shape(), targets.type()));
    }
    double total = Step.current().total(y.shape().size(0));
    Tensor error = y.minus(targets);
    double sum;
    try (var _ = Scope.open()) {
      sum = error.square().sum().item();
    }
    return new Traced(
        Tensor.scalar(y.type(), sum / (2 * total)), dy -> error.times(dy.item() / total));
  }
}
