package fathom.cli;

import fathom.io.BadFileException;
import fathom.run.Run;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/// Which of a run's weights are meant.
final class BestOption {
  @Option(
      names = "--best",
      description = "A run's weights of its best epoch, and not of its last one.")
  private boolean best;

  boolean isGiven() {
    return best;
  }

  /// The file. Throws [BadFileException] if the run has not written it yet.
  Path weights(Run run) {
    Path file = best ? run.best() : run.checkpoint();
    if (!Files.exists(file)) {
      throw new BadFileException(
          run.folder(),
          best
              ? "the run has no weights of a best epoch; leave out --best for the last"
              : "the run has no checkpoint yet");
    }
    return file;
  }
}
