package fathom.train;

import com.fasterxml.jackson.annotation.JsonProperty;
import fathom.task.Figures;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;

/// The records that a training writes as it goes. Each is one line of `metrics.jsonl`.
public sealed interface Metrics {
  /// Returns the number of steps that had been made when the record was written.
  long step();

  /// The part of the data on which a figure of a training was measured. Its name is used in reports
  /// and JSON.
  enum Split {
    /// The validation data, which is kept from training to evaluate the epochs.
    @JsonProperty("validation")
    VALIDATION,
    /// The test data; of a text, the part that is held out.
    @JsonProperty("test")
    TEST;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /// An epoch that ended. It holds the task's figures by name: "loss", and for a classifier or a
  /// text "error" in percent. An example is an image, or a character to be predicted.
  ///
  /// @param epoch the number of epochs that have ended
  /// @param step the number of steps that had been made
  /// @param learningRate the learning rate of the epoch's last step
  /// @param train means over the batches of the epoch, each measured before its step, with
  ///   augmentation
  /// @param test the same figures of the data that `measuredOn` names, at the epoch's end; empty if
  ///   a task holds nothing out
  /// @param seconds the time since the run started, without interruptions
  /// @param examplesPerSecond the throughput of the epoch
  /// @param measuredOn the data that `test` is of: validation data in a run that has some
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

    /// Makes the record of a task that counts errors; errors are in percent.
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

    /// Returns the mean loss over the epoch's batches. It is NaN if the record does not have it, as
    /// for the three figures below.
    public double trainLoss() {
      return train.getOrDefault(LOSS, Double.NaN);
    }

    /// Returns the error over the epoch's batches, in percent.
    public double trainError() {
      return train.getOrDefault(ERROR, Double.NaN);
    }

    /// Returns the loss on the data that `measuredOn` names.
    public double testLoss() {
      return test.getOrDefault(LOSS, Double.NaN);
    }

    /// Returns the error on the data that `measuredOn` names, in percent.
    public double testError() {
      return test.getOrDefault(ERROR, Double.NaN);
    }

    /// The figures by which epochs are compared: those of the held-out data, or of the training
    /// data if nothing is held out.
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

  /// The state of the layers in one forward and backward pass over a few training examples: for
  /// each norm, the standard deviation of its layer response (the residual paper's figure 7), and
  /// for each weight of two or more dimensions, the norm of its gradient. Only tasks with such
  /// examples have it ([fathom.task.Session#probe]).
  record Layers(long step, List<Entry> responses, List<Entry> gradients) implements Metrics {
    /// A layer's path and its measured number.
    public record Entry(String layer, double value) {}
  }

  /// What was watched of the layers at the end of an epoch, by [Recording.Quantity]. A list is
  /// empty if its quantity was not watched.
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

  /// The evaluation at the end of a run, with the final weights and `predict`: of all training data
  /// without augmentation and of all test data. Of a text it takes all held-out text and at most as
  /// much of the training text.
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

    /// Makes the record of a task that counts errors; errors are in percent.
    public Final(
        long step,
        double trainError,
        double trainLoss,
        double testError,
        double testLoss,
        double seconds) {
      this(step, measured(trainLoss, trainError), measured(testLoss, testError), seconds);
    }

    /// Returns the loss on the training data. It is NaN if the record does not have it, as for the
    /// three figures below.
    public double trainLoss() {
      return train.getOrDefault(LOSS, Double.NaN);
    }

    /// Returns the error on the training data, in percent.
    public double trainError() {
      return train.getOrDefault(ERROR, Double.NaN);
    }

    /// Returns the loss on the test data.
    public double testLoss() {
      return test.getOrDefault(LOSS, Double.NaN);
    }

    /// Returns the error on the test data, in percent.
    public double testError() {
      return test.getOrDefault(ERROR, Double.NaN);
    }
  }
}
