package fathom.train;

import fathom.BadFileException;
import fathom.Collective;
import fathom.FlatParams;
import fathom.Node;
import fathom.Param;
import fathom.Scope;
import fathom.Step;
import fathom.Tensor;
import fathom.nn.Init;
import fathom.optim.Clip;
import fathom.optim.Optimizer;
import fathom.task.Figures;
import fathom.task.Objective;
import fathom.task.Section;
import fathom.task.Session;
import fathom.task.Session.Part;
import fathom.task.Setting;
import fathom.task.StoppedException;
import fathom.task.Task;
import fathom.task.Watch;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// One training, from where its checkpoint stands or from the start.
///
/// Every worker runs this same program: its own tree of layers over one block of parameter values,
/// its share of every batch, its own block of gradients. Gradients are summed in the order of ranks
/// and the first worker makes the step. Order, augmentation and learning rate are functions of the
/// step, so a training that was stopped goes on as if it had not been.
final class Training<N extends Node> {
  private final Function<Init, ? extends N> build;
  private final Task<N> task;
  private final Plan plan;
  private final List<Listener> listeners;
  private final @Nullable Path checkpoint;
  private final BooleanSupplier stop;
  private final AtomicReference<@Nullable Shared> shared = new AtomicReference<>();
  private final AtomicReference<@Nullable Trained<N>> result = new AtomicReference<>();

  private static final Map<String, Tensor> NOTHING = Map.of();

  /// What all workers use: the values, and the optimizer that changes them.
  private record Shared(FlatParams flat, Optimizer optimizer) {}

  /// Goes on from `checkpoint` where there is such a file.
  Training(
      Function<Init, ? extends N> build,
      Task<N> task,
      Plan plan,
      List<Listener> listeners,
      @Nullable Path checkpoint,
      BooleanSupplier stop) {
    this.build = build;
    this.task = task;
    this.plan = plan;
    this.listeners = listeners;
    this.checkpoint = checkpoint != null && Files.exists(checkpoint) ? checkpoint : null;
    this.stop = stop;
  }

  Trained<N> run() {
    Workers.run(
        plan.workers(),
        all -> {
          try (var _ = Scope.open()) {
            new Worker(all).train();
          }
        });
    return Objects.requireNonNull(result.get());
  }

  /// One worker's part, and on the first one the view that listeners have.
  private final class Worker {
    private final Collective all;
    private final Session<N> session;
    private final N net;
    private final N fused;
    private final FlatParams flat;
    private final Clock clock;
    private final Sums sums;
    private final int batches;
    private final long steps;
    private long step;
    private boolean stopped;
    private @Nullable Figures best;

    Worker(Collective all) {
      this.all = all;
      long made = checkpoint == null ? 0 : Position.step(checkpoint);
      this.session =
          task.open(new Setting(all, plan.batch(), plan.epochs(), plan.seed(), made, stop));
      this.sums = new Sums(session.counted());
      this.net = build.apply(first() && made == 0 ? Init.he(plan.seed()) : Init.zeros());
      this.fused = task.fused(net);
      this.flat = share(made);
      session.start(net);
      this.batches = session.steps();
      this.steps = (long) plan.epochs() * batches;
      this.clock = new Clock(checkpoint == null ? 0 : resume(checkpoint));
    }

    void train() {
      hear(listener -> listener.begin(moment(NOTHING)));
      if (step > 0 && step % batches == 0 && !false) {
        evaluate(); // it was stopped between the last step of an epoch and its evaluation
      }
      while (step < steps && !stopped) {
        epoch((int) (step / batches));
      }
      end();
    }

    /// The rest of an epoch, which ends with a checkpoint in any case.
    private void epoch(int epoch) {
      session.begin(epoch, (int) (step % batches));
      clock.begin();
      do {
        step((int) (step % batches));
      } while (step % batches != 0 && !stopped);
      save();
      if (step % batches == 0 && !stopped) {
        evaluate();
      }
    }

    private void step(int batch) {
      int examples = session.examples(batch);
      var context = new Step(plan.seed(), step, all, examples);
      try (var _ = Scope.open()) {
        double[] share = context.run(() -> forwardAndBack(fused, batch));
        all.allReduce(share);
        Tensor gradient = flat.gradient();
        all.allReduce(gradient);
        if (!Double.isFinite(share[0]) || !Double.isFinite(gradient.sum().item())) {
          throw context.run(() -> diverged(batch));
        }
        sums.add(share, examples);
        stopped = Sums.stops(share);
        if (first()) {
          hear(listener -> listener.gradients(moment(NOTHING)));
          if (plan.clip() > 0) {
            Clip.to(flat, plan.clip());
          }
          optimizer().step(plan.schedule().at(step, steps));
        } else {
          flat.gradients().fill((byte) 0);
        }
        all.barrier(); // nobody reads the values before they are changed
      }
      step++;
      clock.add(examples);
      hear(listener -> listener.step(moment(NOTHING)));
    }

    /// This worker's share of the batch: of its loss, of what is counted, and whether to stop. The
    /// gradients are added to its own.
    private double[] forwardAndBack(N net, int batch) {
      try (var _ = Scope.open()) {
        Objective share = session.forward(net, batch);
        share.back().run();
        return sums.of(share, first() && stop.getAsBoolean());
      }
    }

    /// Lets listeners write down where the training stands. The workers meet for what the task
    /// carries on, and what they show of it stays until it is written.
    private void save() {
      try (var _ = Scope.open()) {
        var carried = session.state();
        hear(listener -> listener.save(moment(carried)));
        all.barrier();
      }
    }

    /// What the epoch that has just ended came to. Where the training is stopped meanwhile, it is
    /// evaluated when it goes on.
    private void evaluate() {
      Part judge = Part.VALIDATION;
      Figures held;
      try {
        held = session.evaluate(fused, judge);
        if (held == null) {
          judge = Part.TEST;
          held = session.evaluate(fused, judge);
        }
      } catch (StoppedException _) {
        stopped = true;
        return;
      }
      var epoch =
          new Listener.Epoch(
              (int) (step / batches),
              step,
              rate(),
              sums.figures(),
              held,
              held == null ? null : judge,
              clock.seconds(),
              clock.examplesPerSecond());
      sums.clear();
      Figures judged = held == null ? epoch.training() : held;
      boolean better = best == null || task.better(judged, best);
      best = better ? judged : best;
      try (var _ = Scope.open()) {
        var carried = session.state();
        hear(listener -> listener.epoch(moment(carried), epoch, better));
        all.barrier();
      }
    }

    /// The last evaluations, of all that was trained with and all that is for testing.
    private void end() {
      boolean finished = step == steps && !stopped;
      Figures training = null;
      Figures test = null;
      try {
        if (finished) {
          test = session.evaluate(fused, Part.TEST);
          training = session.evaluate(fused, Part.TRAINING);
        }
      } catch (StoppedException _) {
        finished = false;
      }
      var outcome =
          new Listener.Outcome(
              finished, step, steps, training, test, clock.seconds(), clock.examplesPerSecond());
      hear(listener -> listener.end(moment(NOTHING), outcome));
      if (first()) {
        result.set(new Trained<>(outcome, build, Snapshot.of(net)));
      }
      all.barrier();
    }

    /// Reads what the checkpoint has; the first worker reads what is shared, every worker its own
    /// buffers. Returns how long the training took until then.
    private double resume(Path file) {
      Position position = Position.read(file, sums.names());
      step = position.step();
      if (step > steps) {
        throw new BadFileException(
            file,
            "it stands at step %s, but the training has %s steps; it is of another one"
                .formatted(step, steps));
      }
      if (first()) {
        Weights.read(file, net);
        CheckpointFile.readOptimizer(file, net, flat, optimizer());
      }
      all.barrier();
      if (!first()) {
        Weights.read(file, net);
      }
      CheckpointFile.restore(file, session);
      int batch = (int) (step % batches);
      boolean whole = batch == 0 && step > 0; // an epoch that may be still to be evaluated
      long seen = 0;
      for (int i = 0; i < (whole ? batches : batch); i++) {
        seen += session.examples(i);
      }
      sums.restore(position.sums(), seen);
      return position.seconds();
    }

    private FlatParams share(long made) {
      List<Param> params = net.params();
      if (first()) {
        var whole = FlatParams.of(params);
        shared.set(new Shared(whole, plan.optimizer().over(whole, made)));
      }
      all.barrier();
      FlatParams whole = Objects.requireNonNull(shared.get()).flat;
      return first() ? whole : whole.shareWith(params);
    }

    private Optimizer optimizer() {
      return Objects.requireNonNull(shared.get()).optimizer;
    }

    private boolean first() {
      return all.rank() == 0;
    }

    private double rate() {
      return plan.schedule().at(step - 1, steps);
    }

    private void hear(Consumer<Listener> call) {
      if (first()) {
        listeners.forEach(call);
      }
    }

    /// Runs the batch again with an eye on every layer, and says where numbers stopped being finite.
    private RuntimeException diverged(int batch) {
      var search = new FirstNonFinite();
      forwardAndBack(task.watched(net, search), batch);
      if (search.found() != null) {
        throw new DivergedException(step, search.found());
      }
      all.barrier(); // a worker that has found it ends the meeting
      return new DivergedException(step, FirstNonFinite.gradient(net));
    }

    private Moment moment(Map<String, Tensor> carried) {
      return new Now(carried);
    }

    /// What listeners see of this worker.
    private final class Now implements Moment {
      private final Map<String, Tensor> carried;

      Now(Map<String, Tensor> carried) {
        this.carried = carried;
      }

      @Override
      public long step() {
        return step;
      }

      @Override
      public long steps() {
        return steps;
      }

      @Override
      public int epoch() {
        return (int) ((Math.max(1, step) - 1) / batches) + 1;
      }

      @Override
      public int epochs() {
        return plan.epochs();
      }

      @Override
      public boolean endsEpoch(long step) {
        return step % batches == 0;
      }

      @Override
      public double rate() {
        return Worker.this.rate();
      }

      @Override
      public Figures soFar() {
        return sums.figures();
      }

      @Override
      public double seconds() {
        return clock.seconds();
      }

      @Override
      public double examplesPerSecond() {
        return clock.examplesPerSecond();
      }

      @Override
      public Node net() {
        return net;
      }

      @Override
      public FlatParams params() {
        return flat;
      }

      @Override
      public boolean probe(Watch watch, Runnable then) {
        return Probe.of(session, net, task.watched(net, watch), then);
      }

      @Override
      public SequencedMap<String, byte[]> preview() {
        return session.preview();
      }

      @Override
      public void write(Path file) {
        var position = new Position(step, clock.seconds(), sums.stored());
        CheckpointFile.write(file, position, net, flat, optimizer(), carried);
      }

      @Override
      public void writeWeights(Path file) {
        CheckpointFile.writeWeights(file, net, carried);
      }

      @Override
      public List<Section> sections() {
        return session.sections();
      }
    }
  }
}
