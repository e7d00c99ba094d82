package fathom.nn;

import fathom.Layer;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;
import java.util.List;

/// Applies a layer for N×F to each of the T positions of N×T×F, independently of the other
/// positions.
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

  /// Adds this layer and the whole input to the message, because the inner layer only knows the
  /// rows.
  private IllegalArgumentException refused(Tensor x, IllegalArgumentException e) {
    return new IllegalArgumentException(
        "%s was given %s: %s".formatted(this, x, e.getMessage()), e);
  }

  /// The inner layer's name is empty, so that this layer adds nothing to the path.
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
