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

/// An evaluation on all cores and the time that it took.
record TimedEvaluation(Evaluation result, double seconds) {
  /// The throughput in images or characters per second.
  double perSecond() {
    return result.count() / seconds;
  }

  /// Evaluates with as many workers as there are cores. Each worker calls `measure` in a scope of
  /// its own, and the result of worker 0 is returned.
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
