package fathom.train;

import fathom.Node;
import fathom.nn.Init;
import fathom.optim.Optimizer;
import fathom.optim.Schedule;
import fathom.task.Task;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// Trains a net on a task: any function of an [Init] and any [Task].
///
/// ```java
/// var trained =
///     Trainer.of(CifarNet.named("resnet20").on(new ImageShape(1, 8, 8), 10)::build, task)
///         .optimizer(Sgd.paper()).schedule(Schedule.steps(0.1, 0.6, 0.85)).epochs(20).batch(128)
///         .in(Path.of("runs/mine"))
///         .fit();
/// ```
///
/// With a folder it writes checkpoints and metrics, and goes on bit by bit where the folder holds a
/// run of this very training; one training at a time works in a folder. Without one everything is
/// in memory. What is set is checked at once, and by its name.
///
/// @param <N> the net: [fathom.Layer], or a node of its own
public final class Trainer<N extends Node> {
  private final Function<Init, ? extends N> net;
  private final Task<N> task;
  private final List<Listener> listeners = new ArrayList<>();
  private Plan plan = Plan.DEFAULT;
  private @Nullable Path folder;
  private BooleanSupplier stop = () -> false;

  private Trainer(Function<Init, ? extends N> net, Task<N> task) {
    this.net = net;
    this.task = task;
  }

  /// A training of the net that `net` builds, once for each worker; its weights are drawn by the
  /// [Init] that it is given, and shared.
  public static <N extends Node> Trainer<N> of(Function<Init, ? extends N> net, Task<N> task) {
    return new Trainer<>(net, task);
  }

  /// The whole plan at once.
  public Trainer<N> plan(Plan plan) {
    return with(_ -> plan);
  }

  public Trainer<N> optimizer(Optimizer.Spec optimizer) {
    return with(p -> p.withOptimizer(optimizer));
  }

  public Trainer<N> schedule(Schedule schedule) {
    return with(p -> p.withSchedule(schedule));
  }

  /// Limits the norm of all gradients together; 0 for no limit.
  public Trainer<N> clip(double norm) {
    return with(p -> p.withClip(norm));
  }

  public Trainer<N> epochs(int epochs) {
    return with(p -> p.withEpochs(epochs));
  }

  /// The examples of a batch, over all workers.
  public Trainer<N> batch(int examples) {
    return with(p -> p.withBatch(examples));
  }

  public Trainer<N> seed(long seed) {
    return with(p -> p.withSeed(seed));
  }

  /// Threads, each with its share of every batch.
  public Trainer<N> workers(int workers) {
    return with(p -> p.withWorkers(workers));
  }

  private Trainer<N> with(UnaryOperator<Plan> change) {
    plan = change.apply(plan);
    return this;
  }

  /// Works in this folder, which is made if need be: writes checkpoints and metrics, and goes on if
  /// there is a training by the same plan. Epochs and workers may be others than before.
  public Trainer<N> in(Path folder) {
    this.folder = folder;
    return this;
  }

  /// Calls these too, after those that write files.
  public Trainer<N> listen(Listener... more) {
    listeners.addAll(Arrays.asList(more));
    return this;
  }

  /// Asks `stop` after every step, and now and then in evaluations: where it says so, the training
  /// saves its position and ends unfinished. It may be asked by any thread.
  public Trainer<N> stopWhen(BooleanSupplier stop) {
    this.stop = stop;
    return this;
  }

  /// Trains to the end of the plan, or until asked to stop.
  ///
  /// Throws [DivergedException] if a loss or a gradient is no number any more, and names the layer;
  /// [fathom.io.BadFileException] if the folder holds another training, or what cannot be read;
  /// `BusyRunException` if another training works in it; and what a listener threw.
  public Trained<N> fit() {
    if (folder == null) {
      return train(Training.Past.NONE, listeners);
    }
    OwnFolder own = OwnFolder.at(folder);
    try (var _ = own.lock()) {
      var all = new ArrayList<Listener>(List.of(own.recorder()));
      all.addAll(listeners);
      return train(own.past(plan, task), all);
    }
  }

  private Trained<N> train(Training.Past past, List<Listener> all) {
    var kept = new Kept();
    var and = new ArrayList<>(all);
    and.add(kept);
    var outcome = new Training<>(net, task, plan, List.copyOf(and), past, stop).run();
    return new Trained<>(outcome, net, Objects.requireNonNull(kept.weights));
  }

  /// Keeps the weights with which a training ends.
  private static final class Kept implements Listener {
    private @Nullable Snapshot weights;

    @Override
    public void end(Moment now, Outcome outcome) {
      weights = Snapshot.of(now.net());
    }
  }
}
