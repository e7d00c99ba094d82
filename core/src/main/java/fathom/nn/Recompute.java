package fathom.nn;

import fathom.Layer;
import fathom.Scope;
import fathom.Tensor;
import fathom.Traced;
import java.util.List;

/// The same layer in less memory: it remembers only its argument and runs forward again on the way
/// back, which is how 1202 layers fit (Chen et al. 2016, "Training deep nets with sublinear memory
/// cost"). Batch norm is safe inside, because statistics are committed on the way back, and that
/// runs once.
public record Recompute(Layer layer) implements Layer {
  @Override
  public Traced forward(Tensor x) {
    try (var scope = Scope.open()) {
      Tensor y = scope.keep(layer.forward(x).value()); // all other activations die here
      return new Traced(
          y,
          dy -> {
            try (var again = Scope.open()) {
              return again.keep(layer.forward(x).back(dy));
            }
          });
    }
  }

  @Override
  public Tensor predict(Tensor x) {
    return layer.predict(x);
  }

  @Override
  public List<Child> children() {
    return List.of(new Child("", layer));
  }

  @Override
  public Layer with(List<Layer> children) {
    return new Recompute(children.getFirst());
  }

  @Override
  public String toString() {
    return "Recompute";
  }
}
