package fathom.lab.layernorm;

import fathom.Node;
import fathom.lab.ledger.Notebook;
import fathom.nn.Init;
import fathom.optim.Optimizer;
import fathom.optim.Schedule;
import fathom.report.Scale;
import fathom.task.Task;
import fathom.train.DivergedException;
import fathom.train.Listener;
import fathom.train.Metrics;
import fathom.train.Moment;
import fathom.train.Trainer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/// A training in memory by one worker, and the metrics of each of its epochs. A training that
/// diverged has fewer epochs than planned.
record Course(List<Metrics.Epoch> epochs, int planned) {
  /// The recipe that all arms of an experiment share.
  record Plan(Optimizer.Spec optimizer, Schedule schedule, int epochs, int batch) {}

  static <N extends Node> Course of(
      Function<Init, ? extends N> net, Task<N> task, Plan plan, long seed, Notebook note) {
    var epochs = new ArrayList<Metrics.Epoch>();
    var watch =
        new Listener() {
          @Override
          public void step(Moment now) {
            note.alive();
          }

          @Override
          public void epoch(Moment now, Metrics.Epoch epoch, boolean best) {
            epochs.add(epoch);
          }
        };
    try {
      Trainer.of(net, task)
          .optimizer(plan.optimizer)
          .schedule(plan.schedule)
          .epochs(plan.epochs)
          .batch(plan.batch)
          .seed(seed)
          .workers(1)
          .listen(watch)
          .fit();
    } catch (DivergedException _) { // the epochs that ended are the result
      note.alive();
    }
    return new Course(List.copyOf(epochs), plan.epochs);
  }

  /// Returns the value of the last epoch; NaN if the training diverged.
  double last(ToDoubleFunction<Metrics.Epoch> what) {
    return after(planned, what);
  }

  /// Returns the mean over the epochs; NaN if the training diverged.
  double mean(ToDoubleFunction<Metrics.Epoch> what) {
    return epochs.size() < planned
        ? Double.NaN
        : epochs.stream().mapToDouble(what).average().orElse(Double.NaN);
  }

  /// Returns the value after `epoch` epochs; NaN if the training diverged before.
  double after(int epoch, ToDoubleFunction<Metrics.Epoch> what) {
    return epoch <= epochs.size() ? what.applyAsDouble(epochs.get(epoch - 1)) : Double.NaN;
  }

  /// Returns the first epoch at whose end the value was at most `limit`; one more than planned if
  /// there is none.
  double firstAtMost(double limit, ToDoubleFunction<Metrics.Epoch> what) {
    for (Metrics.Epoch epoch : epochs) {
      if (what.applyAsDouble(epoch) <= limit) {
        return epoch.epoch();
      }
    }
    return planned + 1;
  }

  /// Draws the values as a line in the chart of this title.
  void draw(
      String title, String unit, String arm, ToDoubleFunction<Metrics.Epoch> what, Notebook note) {
    if (!epochs.isEmpty()) {
      note.curve(
          title,
          "epochs",
          unit,
          Scale.LOG,
          arm,
          epochs.stream().mapToDouble(Metrics.Epoch::epoch).toArray(),
          epochs.stream().mapToDouble(what).toArray());
    }
  }
}
