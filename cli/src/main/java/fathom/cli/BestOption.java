package fathom.cli;

import fathom.io.BadFileException;
import fathom.run.Run;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/// The option that chooses between a run's weights of its best epoch and those of its last
/// checkpoint.
final class BestOption {
  @Option(
      names = "--best",
      description = "A run's weights of its best epoch, and not of its last one.")
  private boolean best;

  boolean isGiven() {
    return best;
  }

  /// Returns the file of the chosen weights. Throws [BadFileException] if the run has not written
  /// it yet.
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

  /// Says that the weights of the run are averages, if they are.
  void tell(Run run, Output output) {
    double decay = run.recipe().optimization().ema();
    if (decay > 0) {
      output.remark(
          "fathom: %s: the weights are the moving average of those of the training, of decay %s"
              .formatted(run.folder(), decay));
    }
  }
}
