package fathom.cli;

import fathom.infer.Views;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The options for test-time augmentation: [Views] as the user wants them.
final class ViewOptions {
  /// What the option takes.
  enum Augmented {
    FLIP
  }

  @Rare
  @Option(
      names = "--tta",
      paramLabel = "flip",
      description =
          "Averages the probabilities over each image and its mirror image (test-time "
              + "augmentation).")
  private @Nullable Augmented augmented;

  @Rare
  @Option(
      names = "--ten-crop",
      description =
          "Averages the probabilities over the four corners and the centre of each photo, and "
              + "their mirror images, as the residual paper does.")
  private boolean tenCrop;

  /// Returns the views that the user asked for. Throws a usage error for two answers.
  Views views(Output output) {
    if (tenCrop && augmented != null) {
      throw output.refused("--ten-crop has the mirror images already; leave out --tta");
    }
    return tenCrop ? Views.TEN_CROP : augmented == Augmented.FLIP ? Views.FLIP : Views.ONE;
  }
}
