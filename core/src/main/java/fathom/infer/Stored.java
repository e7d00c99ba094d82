package fathom.infer;

import fathom.io.BadFileException;
import fathom.io.WeightsFolder;
import fathom.train.Recorder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.BiFunction;

/// Weights in a file that states the net they belong to.
record Stored(Path weights, ModelCard card) {
  /// Opens a file or folder of weights, or the last checkpoint in a run's folder. Throws
  /// [BadFileException] if there is none, if it cannot be read, or if it does not state its net.
  static Stored at(Path from) {
    return Files.isDirectory(from) && !WeightsFolder.isOne(from)
        ? in(from, Recorder.checkpoint(from), "the run in this folder has no checkpoint yet")
        : of(from);
  }

  /// Opens the weights of the best epoch in a run's folder. Throws as [#at] does.
  static Stored bestIn(Path folder) {
    return in(
        folder,
        Recorder.best(folder),
        "the run in this folder has no weights of a best epoch; open its last checkpoint");
  }

  private static Stored in(Path folder, Path file, String missing) {
    if (!Files.exists(file)) {
      throw new BadFileException(
          folder, Files.isDirectory(folder) ? missing : "there is no such run or file");
    }
    return of(file);
  }

  private static Stored of(Path file) {
    if (!Files.exists(file)) {
      throw new BadFileException(file, "there is no such run or file");
    }
    ModelCard card = ModelCard.of(file);
    if (card.model() == null) {
      throw new BadFileException(
          file,
          "the file does not say of which net its weights are; open a run of an older version by"
              + " Run.open, and weights from elsewhere with a ModelCard");
    }
    return new Stored(file, card);
  }

  /// Returns what `opening` makes of the card and the weights. Because the card came from the file
  /// itself, an error in it is thrown as a [BadFileException] of the file.
  <T> T open(BiFunction<ModelCard, Path, T> opening) {
    try {
      return opening.apply(card, weights);
    } catch (IllegalArgumentException e) {
      throw new BadFileException(weights, String.valueOf(e.getMessage()), e);
    }
  }
}
