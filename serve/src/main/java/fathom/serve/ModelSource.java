package fathom.serve;

import fathom.infer.ImageClassifier;

/// Where a served model comes from. It is asked when the server starts and whenever the model is
/// loaded again.
@FunctionalInterface
public interface ModelSource {
  /// Opens the model as it is now. The server closes what this returns. Throws
  /// [fathom.io.BadFileException] if there is none or it is damaged; then the server goes on with
  /// the version that it has.
  ImageClassifier open();
}
