package fathom.run;

import fathom.data.Data;
import fathom.task.Figures;
import fathom.train.Metrics;
import java.util.List;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/// The words that people read about a kind of run. A report is made of the [#measures()]; the other
/// methods return sentences and parts of them.
public interface Wording {
  /// Returns what is counted per second, such as "images".
  String examples();

  /// Returns what a batch consists of, such as "images".
  String rows();

  /// Returns the figures that are shown of every epoch and of the result, the most important first.
  List<Measure> measures();

  /// Returns the part of the data that epochs are measured on, such as "test".
  String measuredOn(Recipe recipe);

  /// Returns the amount of training data, such as "1437 images in batches of 64".
  String amount(Recipe recipe, Data data);

  /// Returns how the data is divided, without the number of epochs, such as "in batches of 64".
  String batches(Recipe recipe);

  /// Returns the preprocessing of an example in words; empty if there is none.
  String preprocessing(Preprocessing how);

  /// Returns the reason for another batch or window than usual.
  String fitted(Recipe usual, Recipe fits, Data data);

  /// Returns the figures of an epoch that ended, to follow its number and learning rate.
  String epoch(Metrics.Epoch epoch);

  /// Returns the means over an epoch so far; `error` is in percent.
  String soFar(double loss, double error);

  /// Returns the result in a clause, such as "test error 6.67 % (24 of 360), ...".
  String result(Figures test, Figures training);

  /// Returns the result for `--json`, by name; a figure is null if there is no result yet.
  SequencedMap<String, @Nullable Object> answer(
      @Nullable Figures test, @Nullable Figures training, double examplesPerSecond);

  /// Returns the caption of the result's table in a report.
  String tested();

  /// Returns the caption of the learning curves in a report.
  String learning(Recipe recipe);

  /// Returns the result of a run in a sentence for the head of its report.
  String lead(String model, Metrics.Final end, String epochs);

  /// Returns the state of a run that has not ended, for the head of its report. It follows the
  /// words "This run stands after epoch 3 of 20, at ".
  String standing(Metrics.Epoch last);
}
