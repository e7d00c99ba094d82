package fathom.train;

import java.util.List;

/// What a training writes down as it goes, one line of `metrics.jsonl` each.
public sealed interface Metrics {
  /// The step after which it was written: so many steps had been made.
  long step();

  /// An epoch that ended. An example is a picture, or a character to be predicted.
  ///
  /// @param epoch how many epochs have ended
  /// @param rate the learning rate of its last step
  /// @param trainLoss the mean loss of its batches, each before its step
  /// @param trainError the error of the same, in percent, of pictures varied as in training
  /// @param seconds the time since the run started, without interruptions
  record Epoch(
      int epoch,
      long step,
      double rate,
      double trainLoss,
      double trainError,
      double testLoss,
      double testError,
      double seconds,
      double examplesPerSecond)
      implements Metrics {}

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
