package fathom.io;

import fathom.Shape;
import java.lang.foreign.SegmentAllocator;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.SequencedSet;

/// Named tensors in a file, or in the several files of one set of weights, that is open for
/// reading. The files are mapped and not copied to memory; all views of them end with [#close].
public sealed interface TensorFile extends AutoCloseable
    permits SafeTensors, StateDictionary, ShardedTensors, OnnxTensors, KerasTensors {
  /// Opens tensors of any format that is read: safetensors, whole or in parts that an `INDEX.json`
  /// names; a state dictionary of PyTorch, as a zip archive or in the legacy form; the initialisers
  /// of an ONNX model; or a folder with one of them under its usual name. What the file begins with
  /// decides, not its name. Tensors with the names of Keras's ResNet-50 get ours.
  ///
  /// Nothing in a file is ever run. Throws [BadFileException] if it is missing, damaged or of
  /// another kind.
  static TensorFile open(Path file) {
    if (Files.isDirectory(file)) {
      return open(WeightsFolder.weights(file));
    }
    if (ShardedTensors.isIndex(file)) {
      return ShardedTensors.open(file);
    }
    if (StateDictionary.isOne(file)) {
      return StateDictionary.open(file);
    }
    return KerasTensors.named(
        file, OnnxTensors.isOne(file) ? OnnxTensors.open(file) : SafeTensors.open(file));
  }

  /// Returns the format in a few words.
  String format();

  /// Returns the tensors' names in their order.
  SequencedSet<String> names();

  /// Returns the texts and numbers that the file has beside its tensors.
  Map<String, String> metadata();

  /// Returns the type of a tensor's elements in the file, such as `F32`. Throws [BadFileException]
  /// if the file has no tensor of this name.
  String type(String name);

  /// Returns the shape of a tensor. Throws [BadFileException] if the file has no tensor of this
  /// name.
  Shape shape(String name);

  /// Returns a tensor in row-major order: a view of the file if its elements lie so, otherwise in
  /// memory from `memory`. F16 and BF16 become FLOAT32, which represents all of their values
  /// exactly, and whole numbers and truths become INT64. Throws [BadFileException] if the file has
  /// no tensor of this name, or elements of another type.
  StoredTensor widened(String name, SegmentAllocator memory);

  /// Ends all views of the file. A second call does nothing.
  @Override
  void close();
}
