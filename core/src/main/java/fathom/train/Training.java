package fathom.train;

import fathom.FlatParams;
import fathom.Node;
import fathom.Scope;
import fathom.nn.Init;
import fathom.optim.Optimizer;
import fathom.parallel.Workers;
import fathom.task.Task;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// One training, from its checkpoint or from the start.
///
/// Every worker runs the same program with its own tree of layers over one shared block of
/// parameters, its share of every batch, and its own block of gradients. Gradients are summed in
/// the order of ranks, and the first worker makes the optimizer step. Order, augmentation and
/// learning rate are functions of the step, so a training that was stopped continues as if it had
/// not been stopped.
public final class Training<N extends Node> {
  private final Function<Init, ? extends N> build;
  private final Task<N> task;
  private final Plan plan;
  private final List<Listener> listeners;
  private final Past past;
  private final Stop stop;
  private final AtomicReference<@Nullable Shared> shared = new AtomicReference<>();
  private final AtomicReference<Listener.@Nullable Outcome> outcome = new AtomicReference<>();

  /// The objects that all workers share: the parameters, and the optimizer that changes them.
  record Shared(FlatParams flat, Optimizer optimizer) {}

  /// The part of a training that was made before.
  ///
  /// @param checkpoint the checkpoint to continue from; null at the start
  /// @param epochs the epochs that were evaluated
  /// @param otherData whether the data has changed since, so that the sums of the current epoch are
  ///   meaningless
  public record Past(@Nullable Path checkpoint, List<Metrics.Epoch> epochs, boolean otherData) {
    public static final Past NONE = new Past(null, List.of(), false);
  }

  /// Makes a training; see [Trainer] for a simpler way.
  public Training(
      Function<Init, ? extends N> build,
      Task<N> task,
      Plan plan,
      List<Listener> listeners,
      Past past,
      BooleanSupplier stop) {
    this.build = build;
    this.task = task;
    this.plan = plan;
    this.listeners = listeners;
    this.past = past;
    this.stop = new Stop(stop);
  }

  /// Trains to the end of the plan or until asked to stop, and returns how the training ended.
  public Listener.Outcome run() {
    Workers.run(
        plan.workers(),
        all -> {
          try (var _ = Scope.open()) {
            new Loop<>(this, all).train();
          }
        });
    return Objects.requireNonNull(outcome.get());
  }

  Function<Init, ? extends N> build() {
    return build;
  }

  Task<N> task() {
    return task;
  }

  Plan plan() {
    return plan;
  }

  List<Listener> listeners() {
    return listeners;
  }

  Past past() {
    return past;
  }

  Stop stop() {
    return stop;
  }

  /// Called by the first worker before the others ask for it.
  void share(Shared with) {
    shared.set(with);
  }

  Shared shared() {
    return Objects.requireNonNull(shared.get());
  }

  void ended(Listener.Outcome how) {
    outcome.set(how);
  }
}
