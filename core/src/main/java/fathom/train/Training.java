package fathom.train;

import fathom.FlatParams;
import fathom.Node;
import fathom.Param;
import fathom.Scope;
import fathom.Shape;
import fathom.nn.Init;
import fathom.optim.Optimizer;
import fathom.parallel.Processes;
import fathom.task.Task;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
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
  private final Distributed distributed;
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

  /// The processes over which a training is distributed.
  ///
  /// @param processes the processes, of which this is one
  /// @param syncBatchNorm whether batch norm takes its statistics over the batch of all processes;
  ///   otherwise over that of each process
  public record Distributed(Processes processes, boolean syncBatchNorm) {
    public static final Distributed NONE = new Distributed(Processes.NONE, false);
  }

  /// Makes a training in this process alone; see [Trainer] for a simpler way.
  public Training(
      Function<Init, ? extends N> build,
      Task<N> task,
      Plan plan,
      List<Listener> listeners,
      Past past,
      BooleanSupplier stop) {
    this(build, task, plan, listeners, past, stop, Distributed.NONE);
  }

  /// Makes a training over several processes, each of which makes the same one. The past has to be
  /// the same in all of them; `stop` stops all.
  ///
  /// @param listeners the listeners of this process. What writes files belongs to rank 0 alone
  public Training(
      Function<Init, ? extends N> build,
      Task<N> task,
      Plan plan,
      List<Listener> listeners,
      Past past,
      BooleanSupplier stop,
      Distributed distributed) {
    this.build = build;
    this.task = task;
    this.plan = plan;
    this.listeners = new ArrayList<>(listeners);
    this.past = past;
    this.stop = new Stop(stop);
    this.distributed = distributed;
    this.listeners.add(
        new Listener() {
          @Override
          public void before(Moment now) {
            distributed.processes().at(now.step());
          }
        });
  }

  /// Trains to the end of the plan or until asked to stop, and returns how the training ended.
  /// Throws [fathom.parallel.LostProcessException] if another process is lost, and
  /// `IllegalArgumentException` if another process has another net, plan or number of steps.
  public Listener.Outcome run() {
    return distributed
        .processes()
        .telling(() -> {
          distributed
              .processes()
              .run(
                  plan.workers(),
                  all -> {
                    try (var _ = Scope.open()) {
                      new Loop<>(this, all).train();
                    }
                  });
          return Objects.requireNonNull(outcome.get());
        });
  }

  /// Compares with the other processes what sums over all of them need to be the same. Called by
  /// the first worker of each process, before the first sum.
  ///
  /// @param parameters the parameters of the net
  /// @param steps the number of steps of an epoch
  /// @param step the position of the checkpoint
  void compare(List<Param> parameters, int steps, long step) {
    var facts = new LinkedHashMap<String, String>();
    long count = 0;
    int shapes = 1;
    for (Param param : parameters) {
      Shape shape = param.value().shape();
      count += shape.elements();
      shapes = 31 * shapes + shape.toString().hashCode();
    }
    facts.put("the number of parameters", Long.toString(count));
    facts.put("the digest of the parameters' shapes", Integer.toHexString(shapes));
    facts.put("the number of steps of an epoch", Integer.toString(steps));
    facts.put("the step of the checkpoint", Long.toString(step));
    facts.put("`workers`", Integer.toString(plan.workers()));
    facts.put("`batch`", Integer.toString(plan.batch()));
    facts.put("`epochs`", Integer.toString(plan.epochs()));
    facts.put("`seed`", Long.toString(plan.seed()));
    facts.put("the statistics of batch norm", Boolean.toString(distributed.syncBatchNorm()));
    var difference = distributed.processes().compare(facts);
    if (difference != null) {
      throw new IllegalArgumentException(difference.toString());
    }
  }

  boolean syncBatchNorm() {
    return distributed.syncBatchNorm();
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
