package fathom.cli;

import fathom.run.Sampling;
import fathom.train.EarlyStopping;
import java.math.BigDecimal;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

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

  @OnResume
  @Rare
  @Option(
      names = "--early-stop",
      paramLabel = "N[,D]",
      converter = Stopping.class,
      description =
          "Ends the training after N epochs whose validation error is not better than the best by "
              + "more than D percentage points (default: 0). Needs validation data. The weights of "
              + "the best epoch are kept: see --best of eval, predict and export. 0 trains to the "
              + "end.")
  private @Nullable EarlyStopping earlyStop;

  /// Reads `5` or `5,0.1`.
  static final class Stopping implements ITypeConverter<EarlyStopping> {
    @Override
    public EarlyStopping convert(String text) {
      String[] parts = text.strip().split(",", 2);
      try {
        return new EarlyStopping(
            Integer.parseInt(parts[0].strip()),
            parts.length == 1 ? 0 : new BigDecimal(parts[1].strip()).doubleValue());
      } catch (NumberFormatException e) {
        throw new TypeConversionException(
            "'%s' is no number of epochs, or a number and a difference such as 5,0.1"
                .formatted(text));
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(
            String.valueOf(e.getMessage()).replace("`earlyStop`", "it"));
      }
    }
  }

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
    of = validation == null ? of : of.withValidation(validation);
    return earlyStop == null ? of : of.withEarlyStop(earlyStop);
  }
}
