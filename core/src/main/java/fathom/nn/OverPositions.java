package fathom.nn;

import fathom.Layer;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;
import java.util.List;

/// A layer of N×F as one of N×T×F: at each of the T positions the same, and none sees another.
public record OverPositions(Layer layer) implements Layer {
  @Override
  public Traced forward(Tensor x) {
    Traced rows;
    try {
      rows = layer.forward(rows(x));
    } catch (IllegalArgumentException e) {
      throw refused(x, e);
    }
    long[] shape = x.shape().toArray();
    return new Traced(
        positions(rows.value(), x.shape()),
        dy -> {
          try (var scope = Scope.open()) {
            Tensor drows = dy.reshape(rows.value().shape().toArray());
            return scope.keep(rows.back(drows).reshape(shape));
          }
        });
  }

  @Override
  public Tensor predict(Tensor x) {
    try (var scope = Scope.open()) {
      return scope.keep(positions(layer.predict(rows(x)), x.shape()));
    } catch (IllegalArgumentException e) {
      throw refused(x, e);
    }
  }

  private Tensor rows(Tensor x) {
    if (x.shape().rank() != 3) {
      throw new IllegalArgumentException("needs N×T×F");
    }
    return x.reshape(x.shape().size(0) * x.shape().size(1), x.shape().size(2));
  }

  private static Tensor positions(Tensor rows, Shape x) {
    return rows.reshape(x.size(0), x.size(1), rows.shape().size(1));
  }

  /// The layer inside knows the rows only, and the caller only what was given here.
  private IllegalArgumentException refused(Tensor x, IllegalArgumentException e) {
    return new IllegalArgumentException(
        "%s was given %s: %s".formatted(this, x, e.getMessage()), e);
  }

  /// It adds nothing to its layer's path.
  @Override
  public List<Child> children() {
    return List.of(new Child("", layer));
  }

  @Override
  public Layer with(List<Layer> children) {
    return new OverPositions(children.getFirst());
  }

  @Override
  public String toString() {
    return "OverPositions";
  }
}
