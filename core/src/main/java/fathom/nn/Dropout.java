package fathom.nn;

import fathom.DType;
import fathom.Layer;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;
import fathom.parallel.Step;

/// Dropout (Srivastava et al. 2014, section 4), scaled during training: y = x·m/(1−p) and dx =
/// dy·m/(1−p), where each element of the mask m is 0 with probability p, else 1. [#predict] returns
/// x unchanged.
///
/// The input has a row for each example. The mask of a row is a function of the run's seed, the
/// step, the layer's name and the row's position in the whole batch. It is therefore the same for
/// any number of workers, after a run is resumed, and when a [Recompute] computes the layer again.
/// Two layers with the same name use the same mask.
///
/// @param rate p, from 0 to less than 1
/// @param name identifies this dropout within the net
public record Dropout(double rate, String name) implements Layer {
  /// Throws `IllegalArgumentException` if the rate is outside [0, 1) or the name is empty.
  public Dropout {
    if (!(rate >= 0 && rate < 1)) {
      throw new IllegalArgumentException(
          "dropout needs a rate of 0 or more and less than 1, but was given " + rate);
    }
    if (name.isEmpty()) {
      throw new IllegalArgumentException(
          "a dropout needs a name, from which its masks are drawn, but it is empty; give its path");
    }
  }

  @Override
  public Traced forward(Tensor x) {
    Tensor mask = mask(x.shape(), x.type() == DType.FLOAT64 ? DType.FLOAT64 : DType.FLOAT32);
    return new Traced(masked(x, mask), dy -> masked(dy, mask));
  }

  /// Multiplies by the mask; for bfloat16 in float32, because bfloat16 has too few digits for
  /// 1/(1−p).
  private static Tensor masked(Tensor x, Tensor mask) {
    try (var scope = Scope.open()) {
      return scope.keep(x.to(mask.type()).times(mask).to(x.type()));
    }
  }

  private Tensor mask(Shape shape, DType type) {
    long rows = shape.rank() == 0 ? 1 : shape.size(0);
    long first = Step.current().first(rows);
    Step step = Step.current();
    RandomKey key = RandomKey.of(step.seed(), "dropout " + name).at(step.index());
    int width = rows == 0 ? 0 : (int) (shape.elements() / rows);
    var values = new double[(int) shape.elements()];
    double kept = 1 / (1 - rate);
    for (int row = 0; row < rows; row++) {
      RandomKey ofRow = key.at(first + row);
      for (int i = 0; i < width; i++) {
        values[row * width + i] = ofRow.uniform(i) < rate ? 0 : kept;
      }
    }
    try (var scope = Scope.open()) {
      return scope.keep(Tensor.zeros(type, shape.toArray()).copy_(values));
    }
  }

  @Override
  public Shape shape(Shape x) {
    return x;
  }

  @Override
  public Tensor predict(Tensor x) {
    return new Identity().predict(x);
  }

  @Override
  public String toString() {
    return "Dropout " + rate;
  }
}
