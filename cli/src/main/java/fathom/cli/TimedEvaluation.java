package fathom.cli;

import fathom.Scope;
import fathom.data.Decoders;
import fathom.parallel.Collective;
import fathom.parallel.Workers;
import fathom.task.Evaluation;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/// An evaluation by all cores, and the time it took.
record TimedEvaluation(Evaluation result, double seconds) {
  /// Images or characters a second.
  double perSecond() {
    return result.count() / seconds;
  }

  /// Measures with as many workers as there are cores, each of which calls `measure` in a scope of
  /// its own.
  static TimedEvaluation of(BiFunction<Collective, Decoders, Evaluation> measure) {
    long start = System.nanoTime();
    var result = new AtomicReference<@Nullable Evaluation>();
    try (var decoders = Decoders.start()) {
      Workers.run(
          Runtime.getRuntime().availableProcessors(),
          all -> {
            try (var _ = Scope.open()) {
              Evaluation evaluation = measure.apply(all, decoders);
              if (all.rank() == 0) {
                result.set(evaluation);
              }
            }
          });
    }
    return new TimedEvaluation(
        Objects.requireNonNull(result.get()), (System.nanoTime() - start) / 1e9);
  }
}
