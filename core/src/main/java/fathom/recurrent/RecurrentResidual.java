package fathom.recurrent;

import fathom.DType;
import fathom.Scope;
import fathom.Shape;
import java.util.List;

/// A recurrent residual connection, y = x + branch(x) at every step (He et al. 2016, eq. 1). The
/// branch is a recurrent layer whose output has the shape of its input.
public record RecurrentResidual(Recurrent branch) implements Recurrent {
  @Override
  public TracedSequence forward(Sequences x, State start) {
    TracedSequence f = branch.forward(x, start);
    if (!f.value().shape().equals(x.values().shape())) {
      throw new IllegalArgumentException(
          "a residual connection adds activations of one shape, but its branch makes %s of %s"
              .formatted(f.value().shape(), x.values().shape()));
    }
    return new TracedSequence(
        f.value().plus(x.values()),
        f.end(),
        (dy, dend) -> {
          try (var scope = Scope.open()) {
            var d = f.back(dy, dend);
            return new TracedSequence.Cotangents(
                scope.keep(d.dx().plus(dy)), d.dstart().keptBy(scope));
          }
        });
  }

  @Override
  public Shape shape(Shape x) {
    return branch.shape(x);
  }

  @Override
  public int states() {
    return branch.states();
  }

  @Override
  public State start(DType type, int count) {
    return branch.start(type, count);
  }

  @Override
  public List<Part> parts() {
    return List.of(new Part("", branch));
  }

  @Override
  public String toString() {
    return "RecurrentResidual over " + branch;
  }
}
