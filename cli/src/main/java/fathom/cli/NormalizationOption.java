package fathom.cli;

import fathom.data.Normalization;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The options for the mean and standard deviation by which images are normalised. Without them,
/// the run or the file of weights says both.
final class NormalizationOption {
  @Rare
  @Option(
      names = "--mean",
      split = ",",
      paramLabel = "R,G,B",
      description =
          "The number subtracted from each channel, on the 0..1 scale. Default: as the run or "
              + "file says.")
  private float @Nullable [] mean;

  @Rare
  @Option(
      names = "--std",
      split = ",",
      paramLabel = "R,G,B",
      description = "The number that each channel is divided by after that.")
  private float @Nullable [] standardDeviation;

  boolean isGiven() {
    return mean != null || standardDeviation != null;
  }

  /// Returns the normalization that the options give, for images with this number of channels.
  Normalization given(int channels, Output output) {
    float[] m = mean;
    float[] d = standardDeviation;
    if (m == null || d == null) {
      throw output.refused("--mean and --std go together, one number per channel");
    }
    if (m.length != channels || d.length != channels) {
      throw output.refused(
          "--mean and --std have one number per channel, which are %s, but have %s and %s"
              .formatted(channels, m.length, d.length));
    }
    for (float each : d) {
      if (!(each > 0)) { // Normalization takes 0 to mean a constant channel
        throw output.refused("images are divided by --std, which is above 0, but is " + each);
      }
    }
    return output.usage(() -> Normalization.of(m, d));
  }
}
