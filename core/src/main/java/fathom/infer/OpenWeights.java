package fathom.infer;

import fathom.io.TensorFile;
import java.nio.file.Path;

/// A file or folder of weights that is open, with what it says of its net, so that all questions
/// about it are answered by one opening.
///
/// @param file the path as the user gave it, for messages
/// @param tensors the tensors, which are closed with this
/// @param card what the file says
public record OpenWeights(Path file, TensorFile tensors, ModelCard card) implements AutoCloseable {
  /// Opens a file or folder of weights. Throws [fathom.io.BadFileException] if it is missing or
  /// cannot be read.
  public static OpenWeights open(Path file) {
    TensorFile tensors = TensorFile.open(file);
    try {
      return new OpenWeights(file, tensors, ModelCard.of(file, tensors));
    } catch (Throwable problem) {
      tensors.close();
      throw problem;
    }
  }

  @Override
  public void close() {
    tensors.close();
  }
}
