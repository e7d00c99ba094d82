package fathom.train;

import fathom.Node;
import fathom.Param;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.io.BadFileException;
import fathom.io.SafeTensors;
import fathom.io.StoredTensor;
import fathom.io.TorchFile;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Predicate;

/// Reads and writes a net's parameters and buffers as files, under their paths.
public final class Weights {
  private Weights() {}

  /// Reads every parameter and buffer of `net` from `file`, converted to its type. The file may
  /// have further tensors. Throws [BadFileException], with nothing read, at the first name that is
  /// missing or shape that differs.
  public static void read(Path file, Node net) {
    try (var stored = SafeTensors.open(file)) {
      read(file, stored, net.state());
    }
  }

  /// Reads those parameters and buffers of `net` from `file` whose path is `wanted`, and leaves the
  /// others as they are. Throws as [#read(Path, Node)].
  public static void read(Path file, Node net, Predicate<String> wanted) {
    try (var stored = SafeTensors.open(file)) {
      var state = new LinkedHashMap<>(net.state());
      state.keySet().removeIf(wanted.negate());
      read(file, stored, state);
    }
  }

  /// Returns the names and shapes of the tensors of `file` that are a net's, without the optimizer,
  /// the normalization and the counters that files also have. Throws [BadFileException] if it
  /// cannot be read.
  public static SequencedMap<String, Shape> shapes(Path file) {
    try (var stored = SafeTensors.open(file)) {
      var shapes = new LinkedHashMap<String, Shape>();
      for (String name : stored.names()) {
        if (!name.startsWith("optimizer.")
            && !name.startsWith("input.")
            && !name.endsWith("num_batches_tracked")) {
          shapes.put(name, stored.shape(name));
        }
      }
      return shapes;
    }
  }

  static void read(Path file, SafeTensors stored, Map<String, Param> state) {
    state.forEach((path, param) -> checkShape(file, stored, path, param.value()));
    state.forEach((path, param) -> copy(stored, path, param.value()));
  }

  /// Writes every parameter and buffer of `net` under its path as safetensors, with texts for other
  /// programs. Throws [BadFileException] if the file cannot be written.
  public static void write(Path file, Node net, Map<String, String> metadata) {
    try (var _ = Scope.open()) {
      SafeTensors.write(file, stored(net), metadata);
    }
  }

  /// Writes every parameter and buffer of `net` as a state dictionary of PyTorch ([TorchFile]),
  /// which has no texts. Throws [BadFileException] if the file cannot be written.
  public static void writeForTorch(Path file, Node net) {
    try (var _ = Scope.open()) {
      TorchFile.write(file, stored(net));
    }
  }

  static void checkShape(Path file, SafeTensors stored, String name, Tensor to) {
    Shape found = stored.shape(name);
    if (!found.equals(to.shape())) {
      throw new BadFileException(
          file,
          "tensor \"%s\" is %s, but the model needs %s; is it of another model?"
              .formatted(name, found, to.shape()));
    }
  }

  /// Copies the tensor `name` of a file, which must have the shape of `to`.
  static void copy(SafeTensors stored, String name, Tensor to) {
    try (var _ = Scope.open();
        Arena arena = Arena.ofConfined()) {
      StoredTensor tensor = stored.widened(name, arena);
      to.copy_(Tensor.over(tensor.bytes(), tensor.type(), false, tensor.shape().toArray()));
    }
  }

  /// All of `net.state()` as it is now, in row-major order, in the innermost scope.
  static SequencedMap<String, StoredTensor> stored(Node net) {
    var tensors = new LinkedHashMap<String, StoredTensor>();
    net.state().forEach((path, param) -> tensors.put(path, stored(param.value())));
    return tensors;
  }

  static StoredTensor stored(Tensor tensor) {
    return new StoredTensor(tensor.type(), tensor.shape(), tensor.contiguous().segment());
  }
}
