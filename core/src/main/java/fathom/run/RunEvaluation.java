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

/// How good a run's net is on what is for testing, by its own task, with all cores.
///
/// @param sections what its report would show of it
public record RunEvaluation(Figures figures, List<Section> sections, double seconds) {
  /// Of these weights of the run. Throws `IllegalArgumentException` if the task has nothing for
  /// testing.
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
