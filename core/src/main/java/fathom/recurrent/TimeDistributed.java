package fathom.recurrent;

import fathom.DType;
import fathom.Layer;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;
import java.util.List;

/// A time-distributed layer: applies a layer for N×F at every step, T×N×F to T×N×H, without a
/// state.
public record TimeDistributed(Layer layer) implements Recurrent {
  @Override
  public TracedSequence forward(Sequences x, State start) {
    State.of().check(start);
    Traced rows = layer.forward(rows(x));
    long[] shape = x.values().shape().toArray();
    return new TracedSequence(
        steps(rows.value(), x),
        State.of(),
        (dy, _) -> {
          try (var scope = Scope.open()) {
            Tensor drows = rows.back(dy.reshape(rows.value().shape().toArray()));
            return new TracedSequence.Cotangents(scope.keep(drows.reshape(shape)), State.of());
          }
        });
  }

  @Override
  public Predicted predict(Sequences x, State start) {
    State.of().check(start);
    try (var scope = Scope.open()) {
      return new Predicted(scope.keep(steps(layer.predict(rows(x)), x)), State.of());
    }
  }

  private static Tensor rows(Sequences x) {
    return x.values().reshape((long) x.steps() * x.count(), x.features());
  }

  private static Tensor steps(Tensor rows, Sequences x) {
    return rows.reshape(x.steps(), x.count(), rows.shape().size(1));
  }

  @Override
  public Shape shape(Shape x) {
    long rows = Math.multiplyExact(x.size(0), x.size(1));
    return Shape.of(x.size(0), x.size(1), layer.shape(Shape.of(rows, x.size(2))).size(1));
  }

  @Override
  public int states() {
    return 0;
  }

  @Override
  public State start(DType type, int count) {
    return State.of();
  }

  @Override
  public List<Part> parts() {
    return List.of(new Part("", layer));
  }

  @Override
  public String toString() {
    return layer + ", time-distributed";
  }
}
