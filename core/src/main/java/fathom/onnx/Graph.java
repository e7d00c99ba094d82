package fathom.onnx;

import fathom.DType;
import fathom.Node;
import fathom.Param;
import fathom.Shape;
import fathom.Tensor;
import fathom.io.Message;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The graph of a model while it is written: operations in the order in which they run, and the
/// constants that they use. Tensors that it makes from parameters live in the innermost scope, so
/// the result of [#message] must be written before that scope closes.
///
/// Field numbers are those of ONNX's `onnx.proto`.
final class Graph {
  /// The output of an operation: its name, and its sizes without the first one.
  record Value(String name, Sizes one) {
    /// The number of dimensions, including the first one.
    int rank() {
      return one.rank() + 1;
    }

    /// Returns the value of the same sizes under another name.
    Value as(String other) {
      return new Value(other, one);
    }
  }

  /// An attribute of an operation.
  record Attribute(Message message) {
    private static final int KIND_FLOAT = 1;
    private static final int KIND_INT = 2;
    private static final int KIND_TEXT = 3;
    private static final int KIND_TENSOR = 4;
    private static final int KIND_GRAPH = 5;
    private static final int KIND_INTS = 7;

    static Attribute of(String name, double value) {
      return new Attribute(
          new Message().text(1, name).number(2, (float) value).integer(20, KIND_FLOAT));
    }

    static Attribute of(String name, long value) {
      return new Attribute(new Message().text(1, name).integer(3, value).integer(20, KIND_INT));
    }

    static Attribute of(String name, String value) {
      return new Attribute(new Message().text(1, name).text(4, value).integer(20, KIND_TEXT));
    }

    static Attribute of(String name, long... values) {
      var message = new Message().text(1, name);
      for (long value : values) {
        message.integer(8, value);
      }
      return new Attribute(message.integer(20, KIND_INTS));
    }

    /// A tensor of one float32 number.
    static Attribute number(String name, float value) {
      var tensor = new Message().integer(1, 1).integer(2, Port.FLOAT).number(4, value);
      return new Attribute(new Message().text(1, name).message(5, tensor).integer(20, KIND_TENSOR));
    }

    /// A graph that an operation such as a loop runs.
    static Attribute graph(String name, Message graph) {
      return new Attribute(new Message().text(1, name).message(6, graph).integer(20, KIND_GRAPH));
    }
  }

  /// A whole model: its graph, and what goes in and comes out.
  record Model(Graph graph, List<Port> inputs, List<Port> outputs) {}

  private record Operation(
      String type, List<String> outputs, List<String> inputs, List<Attribute> attributes) {}

  /// A parameter, compared by identity, with the shape in which an operation uses it.
  private record Use(Param param, Shape shape) {}

  private final List<Operation> operations = new ArrayList<>();
  private final List<Message> constants;
  private final Map<Use, String> stored;
  private final Set<String> names;

  private Graph(List<Message> constants, Map<Use, String> stored, Set<String> names) {
    this.constants = constants;
    this.stored = stored;
    this.names = names;
  }

  /// Makes the graph of a model, whose inputs and outputs have these names.
  Graph(List<String> ports) {
    this(new ArrayList<>(), new HashMap<>(), new HashSet<>(ports));
  }

  /// Makes the graph that an operation of this graph runs. It shares this graph's names and
  /// constants, because it may use what this graph has.
  Graph inner() {
    return new Graph(constants, stored, names);
  }

  /// Appends an operation with one output, named after the layer that it belongs to.
  Value add(String path, String type, Sizes one, List<String> inputs, Attribute... attributes) {
    return new Value(addAll(List.of(path), type, inputs, attributes).getFirst(), one);
  }

  /// Appends an operation and returns the names of its outputs, which are the wanted ones, made
  /// unique.
  List<String> addAll(
      List<String> paths, String type, List<String> inputs, Attribute... attributes) {
    List<String> outputs = paths.stream().map(this::unique).toList();
    operations.add(new Operation(type, outputs, inputs, List.of(attributes)));
    return outputs;
  }

  /// Appends an operation that gives `x` a name of the model's outputs.
  void output(String name, String x) {
    operations.add(new Operation("Identity", List.of(name), List.of(x), List.of()));
  }

  /// Adds a parameter as a constant and returns its name `path.name`, as in the net's state. A
  /// parameter that is used in several places is stored once, under its first path.
  String constant(String path, String name, Param param) {
    return constant(path, name, param, param.value().shape());
  }

  /// Adds a parameter as a constant of another shape with as many elements.
  String constant(String path, String name, Param param, Shape shape) {
    return stored.computeIfAbsent(
        new Use(param, shape), _ -> floats(Node.path(path, name), param.value(), shape));
  }

  /// Adds float32 numbers that are not a parameter.
  String floats(String name, Tensor values) {
    return floats(name, values, values.shape());
  }

  /// Adds float32 numbers in another shape with as many elements.
  String floats(String name, Tensor values, Shape shape) {
    MemorySegment bytes = values.to(DType.FLOAT32).contiguous().segment();
    return constant(unique(name), Port.FLOAT, shape, bytes);
  }

  /// Adds one float32 number, which broadcasts against everything.
  String number(String name, double value) {
    return floats(name, Tensor.of(new double[] {value}, 1));
  }

  /// Adds a list of whole numbers.
  String integers(String name, long... values) {
    return constant(unique(name), Port.INT64, Shape.of(values.length), bytes(values));
  }

  /// Adds a whole number without a dimension, as an index is.
  String index(String name, long value) {
    return constant(unique(name), Port.INT64, Shape.of(), bytes(value));
  }

  private static MemorySegment bytes(long... values) {
    var bytes = ByteBuffer.allocate(Long.BYTES * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (long value : values) {
      bytes.putLong(value);
    }
    return MemorySegment.ofBuffer(bytes.flip());
  }

  private String constant(String name, int type, Shape shape, MemorySegment bytes) {
    var message = new Message();
    for (long size : shape.toArray()) {
      message.integer(1, size);
    }
    constants.add(message.integer(2, type).text(8, name).bytes(9, bytes));
    return name;
  }

  /// Returns `wanted`, with a number appended if the name is taken; outputs and constants share one
  /// set of names.
  String unique(String wanted) {
    String name = wanted;
    for (int i = 1; name.isEmpty() || !names.add(name); i++) {
      name = wanted + "_" + i;
    }
    return name;
  }

  /// Returns the message of a model's graph, with all constants.
  Message message(String name, List<Port> inputs, List<Port> outputs) {
    Message graph = body(name, inputs, outputs);
    constants.forEach(constant -> graph.message(5, constant));
    return graph;
  }

  /// Returns the message of an [#inner()] graph, whose constants are those of the graph around it.
  Message body(String name, List<Port> inputs, List<Port> outputs) {
    var graph = new Message();
    operations.forEach(operation -> graph.message(1, message(operation)));
    graph.text(2, name);
    inputs.forEach(port -> graph.message(11, port.message()));
    outputs.forEach(port -> graph.message(12, port.message()));
    return graph;
  }

  private static Message message(Operation operation) {
    var node = new Message();
    operation.inputs.forEach(input -> node.text(1, input));
    operation.outputs.forEach(output -> node.text(2, output));
    node.text(3, operation.outputs.getFirst()).text(4, operation.type);
    operation.attributes.forEach(attribute -> node.message(5, attribute.message()));
    return node;
  }
}
