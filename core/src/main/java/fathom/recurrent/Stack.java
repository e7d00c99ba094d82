package fathom.recurrent;

import fathom.DType;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import java.util.ArrayList;
import java.util.List;

/// A stack of recurrent layers: the output of each is the input of the next.
///
/// @param layers the layers, lowest first
public record Stack(List<Recurrent> layers) implements Recurrent {
  /// Throws `IllegalArgumentException` if there are no layers.
  public Stack {
    layers = List.copyOf(layers);
    if (layers.isEmpty()) {
      throw new IllegalArgumentException("a stack has at least one layer, but has none");
    }
  }

  /// Returns a stack of these layers, lowest first.
  public static Stack of(Recurrent... layers) {
    return new Stack(List.of(layers));
  }

  @Override
  public TracedSequence forward(Sequences x, State start) {
    var traced = new ArrayList<TracedSequence>();
    var end = new ArrayList<Tensor>();
    Sequences y = x;
    int from = 0;
    for (Recurrent layer : layers) {
      int to = from + layer.states();
      traced.add(layer.forward(y, start.part(from, to)));
      end.addAll(traced.getLast().end().tensors());
      y = y.with(traced.getLast().value());
      from = to;
    }
    return new TracedSequence(y.values(), new State(end), (dy, dend) -> back(traced, dy, dend));
  }

  private static TracedSequence.Cotangents back(
      List<TracedSequence> traced, Tensor dy, State dend) {
    try (var scope = Scope.open()) {
      var dstart = new ArrayList<Tensor>();
      Tensor d = dy;
      int to = dend.tensors().size();
      for (TracedSequence layer : traced.reversed()) {
        int from = to - layer.end().tensors().size();
        var cotangents = layer.back(d, dend.part(from, to));
        dstart.addAll(0, cotangents.dstart().tensors());
        d = cotangents.dx();
        to = from;
      }
      return new TracedSequence.Cotangents(scope.keep(d), new State(dstart).keptBy(scope));
    }
  }

  @Override
  public Predicted predict(Sequences x, State start) {
    try (var scope = Scope.open()) {
      var end = new ArrayList<Tensor>();
      Sequences y = x;
      int from = 0;
      for (Recurrent layer : layers) {
        int to = from + layer.states();
        var predicted = layer.predict(y, start.part(from, to));
        end.addAll(predicted.end().tensors());
        y = y.with(predicted.value());
        from = to;
      }
      return new Predicted(scope.keep(y.values()), new State(end).keptBy(scope));
    }
  }

  @Override
  public Shape shape(Shape x) {
    Shape y = x;
    for (Recurrent layer : layers) {
      y = layer.shape(y);
    }
    return y;
  }

  @Override
  public int states() {
    return layers.stream().mapToInt(Recurrent::states).sum();
  }

  @Override
  public State start(DType type, int count) {
    return new State(
        layers.stream().flatMap(layer -> layer.start(type, count).tensors().stream()).toList());
  }

  @Override
  public List<Part> parts() {
    var parts = new ArrayList<Part>();
    for (Recurrent layer : layers) {
      parts.add(new Part(Integer.toString(parts.size()), layer));
    }
    return parts;
  }

  @Override
  public String toString() {
    return "Stack of " + layers.size();
  }
}
