package fathom.onnx;

import fathom.io.Message;
import java.util.List;

/// An input or output of a model or of a loop's body: its name, the type of its elements and its
/// dimensions, each a number or the name of a size that any run may choose. Types have the numbers
/// of ONNX's `TensorProto.DataType`.
record Port(String name, int type, List<Dimension> dimensions) {
  static final int FLOAT = 1;
  static final int UINT8 = 2;
  static final int INT64 = 7;

  /// A dimension; its name counts if it is not empty.
  record Dimension(String name, long size) {
    static Dimension any(String name) {
      return new Dimension(name, Sizes.ANY);
    }

    static Dimension of(long size) {
      return new Dimension("", size);
    }

    private Message message() {
      return name.isEmpty() ? new Message().integer(1, size) : new Message().text(2, name);
    }
  }

  static Port of(String name, int type, Dimension... dimensions) {
    return new Port(name, type, List.of(dimensions));
  }

  /// Returns the port as a `ValueInfoProto`.
  Message message() {
    var shape = new Message();
    dimensions.forEach(dimension -> shape.message(1, dimension.message()));
    var tensor = new Message().integer(1, type).message(2, shape);
    return new Message().text(1, name).message(2, new Message().message(1, tensor));
  }
}
