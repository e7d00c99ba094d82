package fathom.onnx;

import fathom.DType;
import fathom.Node;
import fathom.Tensor;
import fathom.onnx.Graph.Attribute;
import fathom.onnx.Graph.Value;
import fathom.recurrent.Bidirectional;
import fathom.recurrent.Encoder;
import fathom.recurrent.LastState;
import fathom.recurrent.Recurrent;
import fathom.recurrent.RecurrentLayer;
import fathom.recurrent.RecurrentResidual;
import fathom.recurrent.Stack;
import fathom.recurrent.TimeDistributed;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/// Writes functions of sequences, T×N×F. Every state tensor of a [Recurrent] is 1×N×H in the model,
/// because that is the form of ONNX's own recurrent operations.
final class Recurrences {
  private final Graph graph;
  private final Iterator<String> start;
  private final List<String> end = new ArrayList<>();

  /// @param start the states before the first step, lowest layer first
  Recurrences(Graph graph, List<String> start) {
    this.graph = graph;
    this.start = start.iterator();
  }

  /// The states after the last step, in the order of those before the first one.
  List<String> end() {
    return end;
  }

  /// Adds the part at `path` and returns its outputs for `x`.
  Value value(String path, Recurrent part, Value x) {
    return switch (part) {
      case Stack stack -> {
        Value y = x;
        for (Node.Part layer : stack.parts()) {
          y = value(Node.path(path, layer.name()), (Recurrent) layer.node(), y);
        }
        yield y;
      }
      case RecurrentLayer layer -> layer(path, layer, x);
      case RecurrentResidual residual -> {
        Value f = value(path, residual.branch(), x);
        yield graph.add(Node.path(path, "add"), "Add", f.one(), List.of(f.name(), x.name()));
      }
      case TimeDistributed each ->
          Shaping.overRows(graph, path, x, rows -> Onnx.value(graph, path, each.layer(), rows));
      case Encoder encoder -> Attention.encoder(graph, path, encoder, x);
      case Bidirectional both -> {
        Value ahead = value(Node.path(path, "forwards"), both.forwards(), x);
        Value back = value(Node.path(path, "backwards"), both.backwards(), reversed(path, x));
        Value turned = reversed(path, back);
        yield graph.add(
            path,
            "Concat",
            ahead.one().with(-1, ahead.one().size(-1) + back.one().size(-1)),
            List.of(ahead.name(), turned.name()),
            Attribute.of("axis", 2L));
      }
      default -> throw Shaping.refused(path, part);
    };
  }

  private Value layer(String path, RecurrentLayer layer, Value x) {
    var given = new ArrayList<String>();
    for (int i = 0; i < layer.states(); i++) {
      given.add(start.next());
    }
    var cell = new Cell(graph, path, layer);
    return cell.value(x, given, end);
  }

  /// Reverses the order of the steps.
  private Value reversed(String path, Value x) {
    String name = Node.path(path, "reversed");
    return graph.add(
        name,
        "Slice",
        x.one(),
        List.of(
            x.name(),
            graph.integers(name + ".from", -1),
            graph.integers(name + ".to", Long.MIN_VALUE),
            graph.integers(name + ".dimensions", 0),
            graph.integers(name + ".step", -1)));
  }

  /// Adds the last output of a recurrent net over the rows of N×C×T×I.
  static Value last(Graph graph, String path, LastState layer, Value x) {
    if (x.rank() != 4) {
      throw new IllegalArgumentException(
          "%s reads images C×H×W row by row, but was given %s".formatted(layer, x.one()));
    }
    Value rows = Shaping.transposed(graph, Node.path(path, "rows"), x, 2, 0, 1, 3);
    Value steps =
        Shaping.reshaped(
            graph,
            Node.path(path, "steps"),
            rows,
            Sizes.of(Sizes.ANY, layer.features()),
            0,
            0,
            layer.features());
    var states = new ArrayList<String>();
    for (Tensor state : layer.backbone().start(DType.FLOAT32, 1).tensors()) {
      states.add(zeros(graph, path, steps, state.shape().size(1)));
    }
    Value y = new Recurrences(graph, states).value(path, layer.backbone(), steps);
    String index = graph.index(Node.path(path, "last.index"), -1);
    return graph.add(
        Node.path(path, "last"),
        "Gather",
        Sizes.of(y.one().size(1)),
        List.of(y.name(), index),
        Attribute.of("axis", 0L));
  }

  /// Adds a state of zeros for every sequence of T×N×F.
  private static String zeros(Graph graph, String path, Value steps, long hidden) {
    String name = Node.path(path, "start");
    String count = Shaping.range(graph, name + ".count", steps, 1, 2);
    String sizes =
        Shaping.joined(
            graph,
            name + ".sizes",
            graph.integers(name + ".one", 1),
            count,
            graph.integers(name + ".units", hidden));
    return graph.add(name, "ConstantOfShape", Sizes.of(), List.of(sizes)).name();
  }
}
