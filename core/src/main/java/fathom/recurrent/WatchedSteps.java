package fathom.recurrent;

import fathom.DType;
import fathom.Layer;
import fathom.Node;
import fathom.Tensor;
import fathom.nn.Watched;
import java.util.ArrayList;
import java.util.List;

/// An instrument, as [Watched] is for layers: wraps what reads sequences and shows an observer its
/// values and their cotangents, T×N×H, all times together. The observer must not keep the tensors,
/// which live as long as their step, nor change them.
///
/// @param path of `seen` in its net
/// @param seen what the observer is told of: `backbone`, or that whose values `backbone` passes on
public record WatchedSteps(String path, Node seen, Recurrent backbone, Observer observer)
    implements Recurrent {
  /// Sees what passes a layer or a recurrent layer; `path` is its own in its net.
  public interface Observer {
    /// Its value, on the way forward.
    void value(String path, Node seen, Tensor y);

    /// The cotangent of its value, dE/dy, on the way back.
    void cotangent(String path, Node seen, Tensor dy);
  }

  /// The same with an instrument around everything that has no others inside; `backbone` is at
  /// `path`.
  public static Recurrent leaves(String path, Recurrent backbone, Observer observer) {
    return switch (backbone) {
      case Stack stack -> {
        var layers = new ArrayList<Recurrent>();
        for (Recurrent layer : stack.layers()) {
          layers.add(leaves(Node.path(path, Integer.toString(layers.size())), layer, observer));
        }
        yield new Stack(layers);
      }
      case RecurrentResidual past -> new RecurrentResidual(leaves(path, past.branch(), observer));
      case TimeDistributed each -> new TimeDistributed(leaves(path, each.layer(), observer));
      case Encoder encoder ->
          new Encoder(
              encoder.positions(),
              leaves(Node.path(path, "blocks"), encoder.blocks(), observer),
              leaves(Node.path(path, "norm"), encoder.norm(), observer));
      default -> new WatchedSteps(path, backbone, backbone, observer);
    };
  }

  /// The same of a layer at `path`.
  public static Layer leaves(String path, Layer layer, Observer observer) {
    return Watched.leaves(
        layer,
        new Watched.Observer() {
          @Override
          public void value(String inner, Layer seen, Tensor y) {
            observer.value(Node.path(path, inner), seen, y);
          }

          @Override
          public void cotangent(String inner, Layer seen, Tensor dy) {
            observer.cotangent(Node.path(path, inner), seen, dy);
          }
        });
  }

  @Override
  public TracedSequence forward(Sequences x, State start) {
    TracedSequence traced = backbone.forward(x, start);
    observer.value(path, seen, traced.value());
    return new TracedSequence(
        traced.value(),
        traced.end(),
        (dy, dend) -> {
          observer.cotangent(path, seen, dy);
          return traced.back(dy, dend);
        });
  }

  @Override
  public Predicted predict(Sequences x, State start) {
    Predicted predicted = backbone.predict(x, start);
    observer.value(path, seen, predicted.value());
    return predicted;
  }

  @Override
  public int states() {
    return backbone.states();
  }

  @Override
  public State start(DType type, int count) {
    return backbone.start(type, count);
  }

  /// The instrument adds nothing to the path of what it wraps.
  @Override
  public List<Part> parts() {
    return List.of(new Part("", backbone));
  }

  @Override
  public String toString() {
    return "Watched " + backbone;
  }
}
