package fathom.cli;

import fathom.train.Recording;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The options for what a training records besides its learning curves: a [Recording].
final class RecordingOptions {
  @Option(
      names = "--watch",
      paramLabel = "WHAT",
      split = ",",
      description =
          "Measures gradients, responses or updates of each layer in every epoch. The report "
              + "shows them as heat maps. Any of the three, between commas.")
  private @Nullable List<Recording.Quantity> watch;

  @Rare
  @Option(
      names = "--tensorboard",
      description = "Writes curves, histograms and images for TensorBoard into RUN/tensorboard.")
  private boolean tensorboard;

  Recording recording() {
    return new Recording(watch == null ? List.of() : watch, tensorboard);
  }
}
