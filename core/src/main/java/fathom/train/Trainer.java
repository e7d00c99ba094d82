package fathom.train;

import fathom.Node;
import fathom.nn.Init;
import fathom.optim.Optimizer;
import fathom.optim.Schedule;
import fathom.parallel.Processes;
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

/// Trains a net on a task. The net is any function of an [Init], and the task any [Task].
///
/// ```java
/// var trained =
///     Trainer.of(CifarNet.named("resnet20").on(new ImageShape(1, 8, 8), 10)::build, task)
///         .optimizer(Sgd.paper()).schedule(Schedule.steps(0.1, 0.6, 0.85)).epochs(20).batch(128)
///         .in(Path.of("runs/mine"))
///         .fit();
/// ```
///
/// With a folder, it writes checkpoints and metrics, and continues bit by bit if the folder holds a
/// run of this very training; only one training at a time may work in a folder. Without a folder
/// everything stays in memory. Every setting is checked when it is set, and an error names it.
///
/// @param <N> the type of the net: [fathom.Layer], or a node of a class of its own
public final class Trainer<N extends Node> {
  private final Function<Init, ? extends N> net;
  private final Task<N> task;
  private final List<Listener> listeners = new ArrayList<>();
  private Plan plan = Plan.DEFAULT;
  private @Nullable Path folder;
  private BooleanSupplier stop = () -> false;
  private Training.Distributed distributed = Training.Distributed.NONE;

  private Trainer(Function<Init, ? extends N> net, Task<N> task) {
    this.net = net;
    this.task = task;
  }

  /// Makes a training of the net that `net` builds. `net` is called once for each worker. The first
  /// worker draws the initial weights with the [Init] that it passes, and all workers share them.
  public static <N extends Node> Trainer<N> of(Function<Init, ? extends N> net, Task<N> task) {
    return new Trainer<>(net, task);
  }

  /// Sets the whole plan at once.
  public Trainer<N> plan(Plan plan) {
    return with(_ -> plan);
  }

  /// Sets the optimizer.
  public Trainer<N> optimizer(Optimizer.Spec optimizer) {
    return with(p -> p.withOptimizer(optimizer));
  }

  /// Sets the learning rate as a function of the step.
  public Trainer<N> schedule(Schedule schedule) {
    return with(p -> p.withSchedule(schedule));
  }

  /// Limits the norm of all gradients together; 0 means no limit. Throws `IllegalArgumentException`
  /// for a limit that is negative or not finite.
  public Trainer<N> clip(double norm) {
    return with(p -> p.withClip(norm));
  }

  /// Sets the number of epochs. Throws `IllegalArgumentException` if it is below 1.
  public Trainer<N> epochs(int epochs) {
    return with(p -> p.withEpochs(epochs));
  }

  /// Sets the number of examples of a batch, over all workers. Throws `IllegalArgumentException` if
  /// it is below 1.
  public Trainer<N> batch(int examples) {
    return with(p -> p.withBatch(examples));
  }

  /// Sets the seed of every random key.
  public Trainer<N> seed(long seed) {
    return with(p -> p.withSeed(seed));
  }

  /// Sets the number of threads, each of which gets its share of every batch. Throws
  /// `IllegalArgumentException` if it is below 1.
  public Trainer<N> workers(int workers) {
    return with(p -> p.withWorkers(workers));
  }

  /// Sets which layers are trained, and at which part of the learning rate: for a net that begins
  /// with trained weights. Its layers have to be [fathom.Layer]s.
  public Trainer<N> tuning(Tuning tuning) {
    return with(p -> p.withTuning(tuning));
  }

  /// Sets the decay of the exponential moving average of the weights, such as 0.999, which is then
  /// what is evaluated, saved and returned; 0 means none. See [Plan#ema].
  public Trainer<N> ema(double decay) {
    return with(p -> p.withEma(decay));
  }

  private Trainer<N> with(UnaryOperator<Plan> change) {
    plan = change.apply(plan);
    return this;
  }

  /// Makes the training work in this folder, which is created if need be. It writes checkpoints and
  /// metrics there, and continues if the folder holds a training by the same plan. The numbers of
  /// epochs and workers may differ from before.
  public Trainer<N> in(Path folder) {
    this.folder = folder;
    return this;
  }

  /// Adds listeners, which are called after those that write files.
  public Trainer<N> listen(Listener... more) {
    listeners.addAll(Arrays.asList(more));
    return this;
  }

  /// Lets a condition stop the training. `stop` is asked after every step, and now and then in
  /// evaluations. When it returns true, the training saves its position and ends unfinished. Any
  /// thread may call it.
  public Trainer<N> stopWhen(BooleanSupplier stop) {
    this.stop = stop;
    return this;
  }

  /// Distributes the training over processes, each of which runs this program. Batches are of all
  /// processes together, and all have the same number of workers. A folder must be on a file system
  /// that all of them share: rank 0 writes it, and the others read it. Listeners are called in rank
  /// 0.
  ///
  /// ```java
  /// try (var processes = Processes.join(Launch.here(), Processes.USUAL_TIMEOUT)) {
  ///   var trained = Trainer.of(net, task).processes(processes).in(folder).fit();
  /// }
  /// ```
  public Trainer<N> processes(Processes processes) {
    distributed = new Training.Distributed(processes, distributed.syncBatchNorm());
    return this;
  }

  /// Lets batch norm take its statistics over the batch of all processes, at the cost of two small
  /// sums over the network for each norm and step, and not over that of each process.
  public Trainer<N> syncBatchNorm() {
    distributed = new Training.Distributed(distributed.processes(), true);
    return this;
  }

  /// Trains to the end of the plan, or until asked to stop.
  ///
  /// Throws [DivergedException], which names the layer, if a loss or a gradient is no longer
  /// finite; [fathom.io.BadFileException] if the folder holds another training or a file that
  /// cannot be read; `BusyRunException` if another training works in the folder; and whatever a
  /// listener throws. Over processes also [fathom.parallel.LostProcessException] if one is lost.
  public Trained<N> fit() {
    return distributed.processes().telling(this::fitAlone);
  }

  private Trained<N> fitAlone() {
    Processes processes = distributed.processes();
    if (folder == null) {
      return train(Training.Past.NONE, processes.rank() == 0 ? listeners : List.of());
    }
    if (processes.rank() > 0) {
      processes.published("folder");
      return train(OwnFolder.at(folder).past(plan, task), List.of());
    }
    OwnFolder own = OwnFolder.at(folder);
    try (var _ = own.lock()) {
      var all = new ArrayList<Listener>(List.of(own.recorder()));
      all.addAll(listeners);
      Training.Past past = own.past(plan, task);
      processes.publish("folder", "written");
      return train(past, all);
    }
  }

  private Trained<N> train(Training.Past past, List<Listener> all) {
    var kept = new Kept();
    var and = new ArrayList<>(all);
    and.add(kept);
    var outcome = new Training<>(net, task, plan, List.copyOf(and), past, stop, distributed).run();
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
