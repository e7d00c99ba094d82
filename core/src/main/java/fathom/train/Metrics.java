package fathom.train;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// What a training writes down as it goes, one line of `metrics.jsonl` each.
public sealed interface Metrics {
  /// The step after which it was written: so many steps had been made.
  long step();

  /// Which images a figure of a training was measured on; its name in reports and JSON.
  enum Split {
    /// Those that are kept from training to measure the epochs: [Recipe#validation()].
    @JsonProperty("validation")
    VALIDATION,
    /// Those that are for testing; of a text, the part that is held out.
    @JsonProperty("test")
    TEST;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /// An epoch that ended. An example is a picture, or a character to be predicted.
  ///
  /// @param epoch how many epochs have ended
  /// @param rate the learning rate of its last step
  /// @param trainLoss the mean loss of its batches, each before its step
  /// @param trainError the error of the same, in percent, of pictures varied as in training
  /// @param testLoss the mean loss of the images that `measuredOn` names, at the epoch's end
  /// @param testError the error of the same, in percent
  /// @param seconds the time since the run started, without interruptions
  /// @param measuredOn which images `testLoss` and `testError` are of: validation images in a run
  ///   that has some
  record Epoch(
      int epoch,
      long step,
      double rate,
      double trainLoss,
      double trainError,
      double testLoss,
      double testError,
      double seconds,
      double examplesPerSecond,
      Split measuredOn)
      implements Metrics {
    /// Errors decide between epochs of pictures, and where they are equal the loss, which alone
    /// decides between those of text. Any is better than none.
    boolean isBetterThan(@Nullable Epoch before, boolean text) {
      if (before == null) {
        return true;
      }
      return (text || testError == before.testError)
          ? testLoss < before.testLoss
          : testError < before.testError;
    }
  }

  /// What the layers looked like: for each norm, the deviation of its value over one batch (the
  /// residual paper's figure 7); for each convolution and dense layer, the norm of the gradient of
  /// its weights. Of pictures only.
  record Layers(long step, List<Entry> responses, List<Entry> gradients) implements Metrics {
    /// A layer's path and its number.
    public record Entry(String layer, double value) {}
  }

  /// What was watched of the layers at the end of an epoch, by [Recording.Quantity]; empty where it
  /// was not.
  record Watch(
      long step,
      List<Layers.Entry> gradients,
      List<Layers.Entry> responses,
      List<Layers.Entry> updates)
      implements Metrics {
    Watch withResponses(List<Layers.Entry> responses) {
      return new Watch(step, gradients, responses, updates);
    }
  }

  /// The end: by the final weights, through `predict`, all training and test pictures as they are;
  /// or all of a text that is held out, and as much of that which was trained with.
  record Final(
      long step,
      double trainError,
      double trainLoss,
      double testError,
      double testLoss,
      double seconds)
      implements Metrics {}
}
