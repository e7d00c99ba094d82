package fathom.recurrent;

import fathom.DType;
import fathom.Layer;
import fathom.Node;
import fathom.Tensor;
import fathom.nn.Watched;
import java.util.ArrayList;
import java.util.List;

/// An instrument for functions of sequences, as [Watched] is for layers. It wraps one and shows an
/// observer its outputs and their cotangents, T×N×H, all steps at once. The observer must neither
/// change the tensors nor keep them beyond their training step.
///
/// @param path the path of `seen` in its net
/// @param seen the node that the observer is told of: `backbone` itself, or the node whose outputs
///   `backbone` passes on
public record WatchedSteps(String path, Node seen, Recurrent backbone, Observer observer)
    implements Recurrent {
  /// Receives the outputs and cotangents of layers and recurrent layers, each with its path in its
  /// net.
  public interface Observer {
    /// Called in the forward pass and in prediction with the output of `seen`.
    void value(String path, Node seen, Tensor y);

    /// Called in the backward pass with dE/dy, the cotangent of the output of `seen`.
    void cotangent(String path, Node seen, Tensor dy);
  }

  /// Returns `backbone`, which is at `path`, with an instrument around every part that has no
  /// instrumented parts inside.
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

  /// Returns `layer`, which is at `path`, with an instrument around every layer that has no
  /// children.
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

  /// The wrapped node's name is empty, so that the instrument adds nothing to the path.
  @Override
  public List<Part> parts() {
    return List.of(new Part("", backbone));
  }

  @Override
  public String toString() {
    return "Watched " + backbone;
  }
}
