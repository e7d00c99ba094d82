package fathom.nn;

import fathom.Layer;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;
import java.util.List;

/// An instrument: a layer that wraps another and shows an observer every output and every cotangent
/// of it. The observer must neither change the tensors nor keep them beyond their step.
///
/// @param path the path of the wrapped layer in its net
public record Watched(String path, Layer layer, Observer observer) implements Layer {
  /// Receives the outputs and cotangents of layers, each with the layer's path in its net.
  public interface Observer {
    /// Called in the forward pass and in prediction with the output of the layer.
    default void value(String path, Layer layer, Tensor y) {}

    /// Called in the backward pass with dE/dy, the cotangent of the layer's output.
    default void cotangent(String path, Layer layer, Tensor dy) {}
  }

  /// Returns the net with an instrument around every layer that has no children.
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

  /// The wrapped layer's name is empty, so that the instrument adds nothing to the path.
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
