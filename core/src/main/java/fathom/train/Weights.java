package fathom.train;

import fathom.Node;
import fathom.Param;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.io.BadFileException;
import fathom.io.SafeTensors;
import fathom.io.StoredTensor;
import fathom.io.TensorFile;
import fathom.io.TorchFile;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.function.Predicate;

/// Reads and writes a net's parameters and buffers as files, under their paths.
public final class Weights {
  private Weights() {}

  /// Reads every parameter and buffer of `net` from `file` in any format of [TensorFile], converted
  /// to its type, under its path or a name that [WeightNames] knows for it. Throws
  /// [BadFileException], with nothing read, if a name is missing, a shape differs, or a file from
  /// elsewhere has a tensor that is none of the net's; it lists all of these.
  public static void read(Path file, Node net) {
    read(file, net, path -> true);
  }

  /// Reads those parameters and buffers of `net` whose path is `wanted`, and leaves the others as
  /// they are, whatever the file has for them. Throws as [#read(Path, Node)].
  public static void read(Path file, Node net, Predicate<String> wanted) {
    try (var stored = TensorFile.open(file)) {
      Map<String, Param> state = net.state();
      names(file, stored, state, wanted)
          .forEach(
              (path, name) -> copy(stored, name, Objects.requireNonNull(state.get(path)).value()));
    }
  }

  /// Throws [BadFileException], as [#read(Path, Node, Predicate)] would, without reading a tensor.
  public static void check(Path file, Node net, Predicate<String> wanted) {
    try (var stored = TensorFile.open(file)) {
      check(file, stored, net, wanted);
    }
  }

  /// Does the same as [#check(Path, Node, Predicate)] with a file that is open.
  public static void check(Path file, TensorFile stored, Node net, Predicate<String> wanted) {
    names(file, stored, net.state(), wanted);
  }

  /// Returns whether `file` has every parameter and buffer of `net` whose path is `wanted`, in its
  /// shape.
  public static boolean has(TensorFile file, Node net, Predicate<String> wanted) {
    return WeightNames.fit(
        file, shapes(net.state(), wanted), shapes(net.state(), wanted.negate()).keySet());
  }

  private static Map<String, String> names(
      Path file, TensorFile stored, Map<String, Param> state, Predicate<String> wanted) {
    return WeightNames.of(
        file, stored, shapes(state, wanted), shapes(state, wanted.negate()).keySet());
  }

  private static SequencedMap<String, Shape> shapes(
      Map<String, Param> state, Predicate<String> wanted) {
    var shapes = new LinkedHashMap<String, Shape>();
    state.forEach((path, param) -> {
      if (wanted.test(path)) {
        shapes.put(path, param.value().shape());
      }
    });
    return shapes;
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

  static void checkShape(Path file, TensorFile stored, String name, Tensor to) {
    Shape found = stored.shape(name);
    if (!found.equals(to.shape())) {
      throw new BadFileException(
          file,
          "tensor \"%s\" is %s, but the model needs %s; is it of another model?"
              .formatted(name, found, to.shape()));
    }
  }

  /// Copies the tensor `name` of a file, which must have the elements of `to` in its order.
  static void copy(TensorFile stored, String name, Tensor to) {
    try (var _ = Scope.open();
        Arena arena = Arena.ofConfined()) {
      StoredTensor tensor = stored.widened(name, arena);
      to.copy_(Tensor.over(tensor.bytes(), tensor.type(), false, to.shape().toArray()));
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
