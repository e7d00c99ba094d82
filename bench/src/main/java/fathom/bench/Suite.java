package fathom.bench;

import java.util.Locale;

/// The parts of the benchmark, each of which measures one kind of work.
public enum Suite {
  /// Whole training steps of nets for images.
  TRAIN,
  /// Whole training steps of character models.
  TEXT,
  /// Layer norm.
  NORM,
  /// Recurrent layers.
  RNN,
  /// The prediction of a batch in memory.
  INFER,
  /// Batches of images from memory and from files.
  DATA,
  /// The most memory resident in a training.
  MEMORY,
  /// The time of whole short commands.
  START,
  /// Predictions of a folder of photos.
  PHOTOS,
  /// The service beside the library alone.
  SERVE,
  /// Time and memory by the size of the work.
  GROWTH;

  /// The name as users write it.
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  /// Returns whether other systems do the same work in this suite.
  public boolean hasPeers() {
    return this != NORM && this != DATA && this != SERVE && this != GROWTH;
  }
}
