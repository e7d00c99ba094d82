package fathom.nn;

import fathom.Layer;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;
import java.util.List;

/// An instrument: a layer that wraps a layer and shows an observer every value and every cotangent.
/// The observer must not keep the tensors, which live as long as their step, nor change them.
public record Watched(String path, Layer layer, Observer observer) implements Layer {
  /// Sees what passes a layer; `path` is the layer's in its net.
  public interface Observer {
    /// The layer's value, on the way forward.
    default void value(String path, Layer layer, Tensor y) {}

    /// The cotangent of the layer's value, dE/dy, on the way back.
    default void cotangent(String path, Layer layer, Tensor dy) {}
  }

  /// The same net with an instrument around every layer that has no others inside.
  public static Layer leaves(Layer net, Observer observer) {
    return Layer.map(
        net,
        (path, layer) -> layer.children().isEmpty() ? new Watched(path, layer, observer) : layer);
  }

  @Override
  public Traced forward(Tensor x) {
    Traced traced = layer.forward(x);
    observer.value(path, layer, traced.value());
    return new Traced(
        traced.value(),
        dy -> {
          observer.cotangent(path, layer, dy);
          return traced.back(dy);
        });
  }

  @Override
  public Shape shape(Shape x) {
    return layer.shape(x);
  }

  @Override
  public Tensor predict(Tensor x) {
    Tensor y = layer.predict(x);
    observer.value(path, layer, y);
    return y;
  }

  /// The instrument adds nothing to its layer's path.
  @Override
  public List<Child> children() {
    return List.of(new Child("", layer));
  }

  @Override
  public Layer with(List<Layer> children) {
    return new Watched(path, children.getFirst(), observer);
  }

  @Override
  public String toString() {
    return "Watched " + layer;
  }
}
