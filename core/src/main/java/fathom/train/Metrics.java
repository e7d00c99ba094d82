package fathom.train;

import com.fasterxml.jackson.annotation.JsonProperty;
import fathom.task.Figures;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;

/// What a training writes down as it goes, one line of `metrics.jsonl` each.
public sealed interface Metrics {
  /// The step after which it was written: so many steps had been made.
  long step();

  /// Which images a figure of a training was measured on; its name in reports and JSON.
  enum Split {
    /// Those that are kept from training to measure the epochs.
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

  /// An epoch that ended. What its task measures is there by name: "loss", and for a classifier or
  /// a text "error" in percent. An example is an image, or a character to be predicted.
  ///
  /// @param epoch how many epochs have ended
  /// @param learningRate the learning rate of its last step
  /// @param train means over its batches, each before its step, of examples varied as in training
  /// @param test the same of what `measuredOn` names, at the epoch's end; empty where a task holds
  ///   nothing out
  /// @param seconds the time since the run started, without interruptions
  /// @param measuredOn which images `test` is of: validation images in a run that has some
  record Epoch(
      int epoch,
      long step,
      @JsonProperty("rate") double learningRate,
      SequencedMap<String, Double> train,
      SequencedMap<String, Double> test,
      double seconds,
      double examplesPerSecond,
      Split measuredOn)
      implements Metrics {
    public Epoch {
      train = copy(train);
      test = copy(test);
    }

    /// Of a task that counts errors.
    public Epoch(
        int epoch,
        long step,
        double learningRate,
        double trainLoss,
        double trainError,
        double testLoss,
        double testError,
        double seconds,
        double examplesPerSecond,
        Split measuredOn) {
      this(
          epoch,
          step,
          learningRate,
          measured(trainLoss, trainError),
          measured(testLoss, testError),
          seconds,
          examplesPerSecond,
          measuredOn);
    }

    /// NaN where it was not measured, as the others.
    public double trainLoss() {
      return train.getOrDefault(LOSS, Double.NaN);
    }

    public double trainError() {
      return train.getOrDefault(ERROR, Double.NaN);
    }

    public double testLoss() {
      return test.getOrDefault(LOSS, Double.NaN);
    }

    public double testError() {
      return test.getOrDefault(ERROR, Double.NaN);
    }

    /// What epochs are compared by: what is held out, or else what was trained with.
    Figures validation() {
      return new Figures(1, test.isEmpty() ? train : test);
    }
  }

  String LOSS = Figures.LOSS;
  String ERROR = "error";

  private static SequencedMap<String, Double> copy(Map<String, Double> values) {
    return Collections.unmodifiableSequencedMap(new LinkedHashMap<>(values));
  }

  private static SequencedMap<String, Double> measured(double loss, double error) {
    var values = new LinkedHashMap<String, Double>();
    values.put(LOSS, loss);
    values.put(ERROR, error);
    return values;
  }

  /// What the layers looked like: for each norm, the standard deviation of its value over one batch
  /// (the residual paper's figure 7); for each convolution and dense layer, the norm of the
  /// gradient of its weights. Of images only.
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

  /// The end: by the final weights, through `predict`, everything that was trained with and is for
  /// testing, as it is; of a text all that is held out, and as much of that which was trained with.
  record Final(
      long step,
      SequencedMap<String, Double> train,
      SequencedMap<String, Double> test,
      double seconds)
      implements Metrics {
    public Final {
      train = copy(train);
      test = copy(test);
    }

    /// Of a task that counts errors.
    public Final(
        long step,
        double trainError,
        double trainLoss,
        double testError,
        double testLoss,
        double seconds) {
      this(step, measured(trainLoss, trainError), measured(testLoss, testError), seconds);
    }

    /// NaN where it was not measured, as the others.
    public double trainLoss() {
      return train.getOrDefault(LOSS, Double.NaN);
    }

    public double trainError() {
      return train.getOrDefault(ERROR, Double.NaN);
    }

    public double testLoss() {
      return test.getOrDefault(LOSS, Double.NaN);
    }

    public double testError() {
      return test.getOrDefault(ERROR, Double.NaN);
    }
  }
}
