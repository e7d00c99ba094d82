package fathom.cli;

import fathom.run.Sampling;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The options for how a training goes through its data: a [Sampling] as the user wants it.
final class SamplingOptions {
  @OnResume
  @Option(names = "--epochs", paramLabel = "N", description = "How often to see all of the data.")
  private @Nullable Integer epochs;

  @Option(
      names = "--batch",
      paramLabel = "N",
      description =
          "Images in a batch, or streams of a text, of all workers. Default: 128, 64 for "
              + "fewer than 10,000 images, 32 for photos and texts, 8 for masks, and less where the "
              + "data has less.")
  private @Nullable Integer batch;

  @Rare
  @Option(
      names = "--window",
      paramLabel = "T",
      description = "Characters of every stream in a step. Default: 100, or all of a shorter text.")
  private @Nullable Integer window;

  @Option(
      names = "--val",
      paramLabel = "N",
      description =
          "Keeps N training images as validation data. They are drawn by the seed. Epochs are "
              + "validated with them, and the best one is chosen by them; the test images are seen "
              + "at the end alone. Default: the images of a folder val beside train and test, or 0.")
  private @Nullable Integer validation;

  /// Returns whether the user gave no batch size, so that it may be fitted to the data.
  boolean anyBatch() {
    return batch == null;
  }

  /// Returns whether the user gave no window, so that it may be fitted to the data.
  boolean anyWindow() {
    return window == null;
  }

  Sampling of(Sampling usual) {
    Sampling of = epochs == null ? usual : usual.withEpochs(epochs);
    of = batch == null ? of : of.withBatch(batch);
    of = window == null ? of : of.withWindow(window);
    return validation == null ? of : of.withValidation(validation);
  }
}
