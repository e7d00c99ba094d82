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
  static final String INPUT = "pictures";
  static final String OUTPUT = "logits";

  private static final int FLOAT = 1;
  private static final int INT64 = 7;

  /// The output of an operation: its name, and its shape for one image.
  record Value(String name, Shape one) {
    /// The number of dimensions, including that of the batch.
    int rank() {
      return one.rank() + 1;
    }
  }

  /// An attribute of an operation.
  record Attribute(Message message) {
    private static final int KIND_FLOAT = 1;
    private static final int KIND_INT = 2;
    private static final int KIND_INTS = 7;

    static Attribute of(String name, double value) {
      return new Attribute(
          new Message().text(1, name).number(2, (float) value).integer(20, KIND_FLOAT));
    }

    static Attribute of(String name, long value) {
      return new Attribute(new Message().text(1, name).integer(3, value).integer(20, KIND_INT));
    }

    static Attribute of(String name, long... values) {
      var message = new Message().text(1, name);
      for (long value : values) {
        message.integer(8, value);
      }
      return new Attribute(message.integer(20, KIND_INTS));
    }
  }

  private record Operation(
      String type, String output, List<String> inputs, List<Attribute> attributes) {}

  /// A parameter, compared by identity, with the shape in which an operation uses it.
  private record Use(Param param, Shape shape) {}

  private final List<Operation> operations = new ArrayList<>();
  private final List<Message> constants = new ArrayList<>();
  private final Map<Use, String> stored = new HashMap<>();
  private final Set<String> names = new HashSet<>(Set.of(INPUT, OUTPUT));

  /// Appends an operation, named after the layer that it belongs to.
  Value add(String path, String type, Shape one, List<String> inputs, Attribute... attributes) {
    String name = unique(path);
    operations.add(new Operation(type, name, inputs, List.of(attributes)));
    return new Value(name, one);
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
  String floats(String name, Tensor values, Shape shape) {
    MemorySegment bytes = values.to(DType.FLOAT32).contiguous().segment();
    return constant(unique(name), FLOAT, shape, bytes);
  }

  String integers(String name, long... values) {
    var bytes = ByteBuffer.allocate(Long.BYTES * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (long value : values) {
      bytes.putLong(value);
    }
    return constant(
        unique(name), INT64, Shape.of(values.length), MemorySegment.ofBuffer(bytes.flip()));
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
  private String unique(String wanted) {
    String name = wanted;
    for (int i = 1; name.isEmpty() || !names.add(name); i++) {
      name = wanted + "_" + i;
    }
    return name;
  }

  /// Returns the message of the graph from any number of images of shape C×H×W to `result`.
  Message message(String name, Shape image, Value result) {
    if (result.name().equals(INPUT)) { // a net without operations
      add(OUTPUT, "Identity", result.one(), List.of(INPUT));
    }
    var graph = new Message();
    for (int i = 0; i < operations.size(); i++) {
      graph.message(1, message(operations.get(i), i == operations.size() - 1));
    }
    graph.text(2, name);
    constants.forEach(constant -> graph.message(5, constant));
    graph.message(11, described(INPUT, image));
    return graph.message(12, described(OUTPUT, result.one()));
  }

  /// Encodes an operation; the output of the last one is the graph's output.
  private static Message message(Operation operation, boolean last) {
    var node = new Message();
    operation.inputs.forEach(input -> node.text(1, input));
    node.text(2, last ? OUTPUT : operation.output)
        .text(3, operation.output)
        .text(4, operation.type);
    operation.attributes.forEach(attribute -> node.message(5, attribute.message()));
    return node;
  }

  /// Describes a tensor of N examples of this shape. N is a name in place of a number, because any
  /// number is valid.
  private static Message described(String name, Shape one) {
    var shape = new Message().message(1, new Message().text(2, "N"));
    for (long size : one.toArray()) {
      shape.message(1, new Message().integer(1, size));
    }
    var tensor = new Message().integer(1, FLOAT).message(2, shape);
    return new Message().text(1, name).message(2, new Message().message(1, tensor));
  }
}
