package fathom.run;

import fathom.data.Data;
import fathom.task.Figures;
import fathom.train.Metrics;
import java.util.List;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/// What people are told of a kind of runs. A report is made of the [#measures()]; the rest are
/// sentences.
public interface Wording {
  /// What is counted in a second: "images".
  String examples();

  /// What a batch consists of: "images".
  String rows();

  /// What is shown of every epoch and of the result, the most important first.
  List<Measure> measures();

  /// What epochs are measured on: "test".
  String measuredOn(Recipe recipe);

  /// How much is trained with: "1437 images in batches of 64".
  String amount(Recipe recipe, Data data);

  /// How the data is gone through, without the number of epochs: "in batches of 64".
  String batches(Recipe recipe);

  /// What is done to an example before the net sees it; empty where that is nothing.
  String preprocessing(Preprocessing how);

  /// Why there are other batches and windows than usual.
  String fitted(Recipe usual, Recipe fits, Data data);

  /// An epoch that ended, behind its number and learning rate.
  String epoch(Metrics.Epoch epoch);

  /// The means over an epoch so far.
  String soFar(double loss, double error);

  /// The result in a clause: "test error 6.67 % (24 of 360), ...".
  String result(Figures test, Figures training);

  /// The result in `--json`, by name; null where there is none yet.
  SequencedMap<String, @Nullable Object> answer(
      @Nullable Figures test, @Nullable Figures training, double examplesPerSecond);

  /// What the result's table in a report is of.
  String tested();

  /// What the learning curves of a report are of.
  String learning(Recipe recipe);

  /// The result of a run in a sentence for the head of its report.
  String lead(String model, Metrics.Final end, String epochs);

  /// The state of a run that has not ended, likewise, behind "This run stands after epoch 3 of 20,
  /// at ".
  String standing(Metrics.Epoch last);
}
