package fathom.run;

import fathom.Node;
import fathom.Scope;
import fathom.data.Data;
import fathom.data.Decoders;
import fathom.nn.Init;
import fathom.parallel.Workers;
import fathom.task.Figures;
import fathom.task.Section;
import fathom.task.Session;
import fathom.task.Setting;
import fathom.train.Weights;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;

/// The evaluation of a run's net on the test data, by the run's own task, on all cores.
///
/// @param figures the figures of the test data
/// @param sections the task's sections of a report
/// @param seconds the time of the evaluation in seconds
public record RunEvaluation(Figures figures, List<Section> sections, double seconds) {
  /// Evaluates these weights of the run on the test part of `data`. Throws
  /// `IllegalArgumentException` if the task has no test data.
  public static RunEvaluation of(Run run, Path weights, Data data) {
    try (var decoders = Decoders.start()) {
      return of(RunTraining.subject(run, data, decoders), run.recipe(), weights);
    }
  }

  private static <N extends Node> RunEvaluation of(
      Subject<N> subject, Recipe recipe, Path weights) {
    var result = new AtomicReference<RunEvaluation>();
    Workers.run(
        Runtime.getRuntime().availableProcessors(),
        all -> {
          try (var _ = Scope.open()) {
            N net = subject.net().apply(Init.zeros());
            Weights.read(weights, net);
            Session<N> session =
                subject
                    .task()
                    .open(new Setting(all, recipe.batch(), 1, recipe.seed(), 0, () -> false));
            session.start(net);
            long began = System.nanoTime();
            Figures figures = session.evaluate(net, Session.Part.TEST);
            if (figures == null) {
              throw new IllegalArgumentException(
                  "%s has nothing for testing".formatted(subject.task().name()));
            }
            if (all.rank() == 0) {
              result.set(
                  new RunEvaluation(
                      figures, session.sections(), (System.nanoTime() - began) / 1e9));
            }
          }
        });
    return Objects.requireNonNull(result.get());
  }
}
