package fathom.train;

import fathom.BadFileException;
import fathom.Collective;
import fathom.FlatParams;
import fathom.Param;
import fathom.Scope;
import fathom.Step;
import fathom.Tensor;
import fathom.data.Data;
import fathom.data.Decoders;
import fathom.data.Rows;
import fathom.nn.Init;
import fathom.optim.Clip;
import fathom.optim.Optimizer;
import fathom.optim.Schedule;
import java.nio.file.Files;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiFunction;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/// Trains the net of a run, from where its checkpoint stands, or from the start.
///
/// Every worker runs this same program: its own tree of layers over one block of parameter values,
/// its share of every batch, its own block of gradients. Gradients are summed in the order of ranks
/// and the first worker makes the step. Order, augmentation and rate are functions of the step, so
/// a run that was stopped continues as if it had not been. What is learned, a [Learner] knows.
///
/// At the end of an epoch its checkpoint is written first, and then it is judged, which may take
/// long: the line of the epoch in the metrics says that it has been. A run that goes on from a
/// checkpoint of an epoch without a line judges it first.
public final class Trainer {
  private final Run run;
  private final Recipe recipe;
  private final BiFunction<Collective, Init, Learner> learners;
  private final Progress progress;
  private final Stop stop;
  private final LastSave lastSave;
  private final Checkpoint start;
  private final AtomicReference<@Nullable Shared> shared = new AtomicReference<>();
  private final AtomicReference<@Nullable Result> result = new AtomicReference<>();

  /// What all workers use: the values, and the optimizer that changes them.
  private record Shared(FlatParams flat, Optimizer optimizer) {}

  /// How a training ended.
  ///
  /// @param finished false if it was asked to stop before
  /// @param step the steps that were made, of `steps`
  /// @param test all test pictures, or the text that is held out, by the last weights; null unless
  ///   finished
  /// @param train all training pictures, as they are, or as much of the text that was trained with;
  ///   null unless finished
  public record Result(
      boolean finished,
      long step,
      long steps,
      @Nullable Evaluation test,
      @Nullable Evaluation train,
      double seconds,
      double examplesPerSecond) {
    /// By the last weights. Throws `IllegalStateException` unless the training is finished.
    public Evaluation tested() {
      if (test == null) {
        throw new IllegalStateException(
            "a training has a result at its end, but stands at step %s of %s"
                .formatted(step, steps));
      }
      return test;
    }
  }

  private Trainer(
      Run run,
      Data data,
      Decoders decoders,
      Progress progress,
      BooleanSupplier stop,
      LastSave lastSave) {
    this.run = run;
    this.recipe = run.recipe();
    this.progress = progress;
    this.stop = new Stop(stop);
    this.lastSave = lastSave;
    boolean resumed = Files.exists(run.checkpoint());
    this.start = resumed ? position(run) : Checkpoint.NONE;
    this.learners =
        Learner.makers(
            run,
            data,
            decoders,
            resumed && !recipe.isText() ? Checkpoint.normalization(run.checkpoint()) : null,
            start.step());
    lastSave.begin(start.step());
  }

  /// Sums over examples of other data than this mean nothing.
  private static Checkpoint position(Run run) {
    Checkpoint at = Checkpoint.position(run.checkpoint());
    return run.info().data().changes().stream().anyMatch(change -> change.step() == at.step())
        ? new Checkpoint(at.step(), at.seconds(), 0, 0, 0, null)
        : at;
  }

  /// Trains to the end of the recipe, or until `stop` says so: then it finishes the step, writes a
  /// checkpoint and returns, or breaks off an evaluation, before which it has written one. It asks
  /// after every step, and in long evaluations every second. Throws [DivergedException] if the loss
  /// or a gradient is no number any more, `IllegalArgumentException` if there is less data than a
  /// step needs, [BadFileException] for other data than that of the run, and
  /// [fathom.DeviceException] if this machine does not have the precision, and [BusyRunException]
  /// if another training works on the run.
  public static Result train(Run run, Data data, Progress progress, BooleanSupplier stop) {
    return train(run, data, Runtime.getRuntime().availableProcessors(), progress, stop);
  }

  /// The same with so many threads that decode photographs ahead, 0 or more; they end with it, and
  /// how many there are changes no weight.
  public static Result train(
      Run run, Data data, int decoders, Progress progress, BooleanSupplier stop) {
    return train(run, data, decoders, progress, stop, new LastSave());
  }

  /// The same, and `lastSave` can save meanwhile.
  public static Result train(
      Run run,
      Data data,
      int decoders,
      Progress progress,
      BooleanSupplier stop,
      LastSave lastSave) {
    run.recipe().check(data);
    run.recipe().precision().check();
    Resumption.check(run, data);
    try (var _ = RunLock.of(run.folder());
        var threads = Decoders.start(decoders)) {
      return locked(
          new Trainer(run, data, threads, progress, stop, lastSave), run.recipe().batches(data));
    }
  }

  private static Result locked(Trainer trainer, long batches) {
    trainer.run.truncate(trainer.start.step(), batches);
    Workers.run(
        trainer.recipe.workers(),
        all -> {
          try (var _ = Scope.open()) {
            trainer.new Worker(all).train();
          }
        });
    return Objects.requireNonNull(trainer.result.get());
  }

  /// One worker's part: its learner over the shared values, and its share of the sums.
  private final class Worker {
    private final Collective all;
    private final Learner learner;
    private final FlatParams flat;
    private final int batches;
    private final long steps;
    private final Schedule schedule;
    private final long begun = System.nanoTime();
    private long step = start.step();
    private double lossSum = start.lossSum();
    private double errorSum = start.errorSum();
    private double speed = start.examplesPerSecond();
    private double secondsBefore = start.seconds();
    private long lastStepNanos = LastSave.SLOW_NANOS; // of the first one nothing is known
    private Metrics.@Nullable Epoch best;
    private Metrics.@Nullable Watch watched = start.watch();
    private boolean judged;
    private @Nullable TensorBoard board;
    private @Nullable Evaluation tested;
    private long testedAt;

    Worker(Collective all) {
      this.all = all;
      Init init = first() && step == 0 ? Init.he(recipe.seed()) : Init.zeros();
      this.learner = learners.apply(all, init);
      this.batches = learner.batches();
      this.steps = (long) recipe.epochs() * batches;
      if (step > steps) {
        throw new BadFileException(
            run.checkpoint(),
            "it stands at step %s, but the run has %s steps; it is of another run"
                .formatted(step, steps));
      }
      this.schedule = recipe.descent().schedule();
      this.flat = share();
      if (step > 0) {
        resume();
      }
      readEpochs();
      all.barrier();
    }

    /// What is known of the epochs that have been judged, and whether the last one is among them.
    private void readEpochs() {
      judged = step % batches != 0 || start.examplesPerSecond() == 0;
      for (Metrics metrics : run.metrics()) {
        if (metrics instanceof Metrics.Epoch epoch) {
          best = epoch.isBetterThan(best, recipe.isText()) ? epoch : best;
          judged |= epoch.step() == step;
          secondsBefore = Math.max(secondsBefore, epoch.seconds());
        }
      }
      if (judged && step % batches == 0) {
        begin();
      }
    }

    /// Sums and what was watched are of one epoch.
    private void begin() {
      lossSum = 0;
      errorSum = 0;
      watched = null;
    }

    private boolean first() {
      return all.rank() == 0;
    }

    private FlatParams share() {
      var params = learner.net().params();
      if (first()) {
        var flat = FlatParams.of(params);
        shared.set(new Shared(flat, recipe.descent().optimization().over(flat, step)));
      }
      all.barrier();
      return first() ? shared().flat : shared().flat.shareWith(params);
    }

    private Shared shared() {
      return Objects.requireNonNull(shared.get());
    }

    /// The first worker reads what is shared, every worker its own buffers; all write the same.
    private void resume() {
      if (first()) {
        Weights.read(run.checkpoint(), learner.net());
        Checkpoint.readOptimizer(run.checkpoint(), learner.net(), flat, shared().optimizer);
      }
      all.barrier();
      if (!first()) {
        Weights.read(run.checkpoint(), learner.net());
      }
      learner.resume(run.checkpoint());
    }

    void train() {
      boolean stopped = false;
      Evaluation test = null;
      Evaluation train = null;
      try {
        if (step == 0) {
          report();
        }
        if (first() && recipe.recording().tensorboard() && (step < steps || !judged)) {
          board = board();
        }
        if (!judged) {
          judge();
        }
        while (step < steps && !stopped) {
          stopped = epoch((int) (step / batches));
        }
        if (!stopped) {
          test = recipe.validation() > 0 ? learner.test(stop::lookNowAndThen) : held();
          train = learner.trained(stop::lookNowAndThen);
          finish(test, train);
        }
      } catch (StoppedException _) {
        train = null; // every worker comes here, and all that was learned is saved
      }
      if (first()) {
        result.set(
            new Result(
                train != null, step, steps, train == null ? null : test, train, seconds(), speed));
      }
    }

    private TensorBoard board() {
      long next = judged ? step + 1 : step; // the first step of which something is written
      var begun = new TensorBoard(run.events(), step == 0 ? 0 : next);
      var pictures = learner.pictures();
      if (pictures != null && step == 0) {
        begun.pictures(pictures);
      }
      return begun;
    }

    /// The rest of an epoch; returns whether it was broken off, after a checkpoint.
    private boolean epoch(int epoch) {
      learner.begin(epoch, (int) (step % batches));
      long began = System.nanoTime();
      long seen = 0;
      boolean stopped = false;
      while (step < (epoch + 1L) * batches && !stopped) {
        int batch = (int) (step % batches);
        Rows examples = learner.batch(batch);
        long stepBegan = System.nanoTime();
        stopped = step(batch, examples.count());
        step++;
        lastStepNanos = System.nanoTime() - stepBegan;
        seen += examples.count();
        speed = seen / ((System.nanoTime() - began) / 1e9);
        if (first()) {
          lastSave.made(step);
          progress.step(stepEnd(epoch, examples.to() - ofOtherData(epoch)));
        }
      }
      boolean ended = step == (epoch + 1L) * batches;
      if (ended && recipe.shardStatistics()) {
        shareStatistics();
      }
      checkpoint(false);
      if (ended && !stopped) {
        judge();
      }
      return stopped;
    }

    /// One step; returns whether to stop after it.
    private boolean step(int batch, int examples) {
      var context = new Step(recipe.seed(), step, all, examples);
      if (first() && lastStepNanos >= LastSave.SLOW_NANOS && learner.storesAlone()) {
        var before = new Checkpoint(step, seconds(), lossSum, errorSum, speed, null);
        var memory = shared().optimizer;
        lastSave.offer(
            before.later(
                run.checkpoint(),
                learner.net(),
                flat,
                memory,
                learner::stored,
                ModelCard.of(run, null)));
      }
      try (var _ = Scope.open()) {
        double[] share = context.run(() -> learner.gradients(batch));
        double[] sums = {share[0], share[1], first() && stop.look() ? 1 : 0};
        all.allReduce(sums);
        Tensor gradient = flat.gradient();
        all.allReduce(gradient);
        if (!Double.isFinite(sums[0]) || !Double.isFinite(gradient.sum().item())) {
          throw context.run(() -> diverged(batch));
        }
        lossSum += sums[0] * examples;
        errorSum += sums[1];
        if (first()) {
          List<Recording.Quantity> watch = recipe.recording().watch();
          lastSave.move(() -> {
            if (!watch.isEmpty() && batch == batches - 1) {
              watched = LayerWatch.around(learner.net(), watch, step + 1, this::move);
            } else {
              move();
            }
          });
        } else {
          flat.gradients().fill((byte) 0);
        }
        all.barrier(); // nobody reads the values before they are changed
        return sums[2] > 0;
      }
    }

    private void move() {
      if (recipe.descent().clip() > 0) {
        Clip.to(flat, recipe.descent().clip());
      }
      shared().optimizer.step(schedule.at(step, steps));
    }

    /// Says where it was seen first.
    private RuntimeException diverged(int batch) {
      String found = learner.notFinite(batch);
      if (found != null) {
        throw new DivergedException(step, found);
      }
      all.barrier(); // a worker that has found it ends the meeting
      return new DivergedException(step, FirstNonFinite.gradient(learner.net()));
    }

    /// Those of the first worker are everybody's at the end of an epoch.
    private void shareStatistics() {
      for (Param param : learner.net().state().values()) {
        if (!param.trained()) {
          all.broadcast(param.value(), 0);
        }
      }
    }

    /// Evaluates the epoch whose checkpoint has just been written, or was when the run was stopped.
    /// Its line in the metrics is written last, and the best checkpoint before it: a run that is
    /// killed on the way does all of it again.
    private void judge() {
      Evaluation test = held();
      double count = learner.batch(batches - 1).to() - ofOtherData((int) (step / batches) - 1);
      var epoch =
          new Metrics.Epoch(
              (int) (step / batches),
              step,
              schedule.at(step - 1, steps),
              lossSum / count,
              100 * errorSum / count,
              test.crossEntropy(),
              test.error(),
              seconds(),
              speed,
              recipe.measuredOn());
      if (epoch.isBetterThan(best, recipe.isText())) {
        checkpoint(true);
        best = epoch;
      }
      if (first()) {
        recordWatched();
        if (board != null) {
          board.epoch(epoch, learner.net());
        }
        run.append(epoch);
        progress.epoch(epoch);
      }
      begin();
    }

    /// How many examples of an epoch were passed before the data changed within it: they are in no
    /// sum.
    private int ofOtherData(int epoch) {
      long began = (long) epoch * batches;
      return run.info().data().changes().stream()
          .mapToLong(change -> change.step() - began)
          .filter(batch -> batch > 0 && batch < batches)
          .mapToInt(batch -> learner.batch((int) batch).from())
          .max()
          .orElse(0);
    }

    /// Only the first worker looks, alone.
    private void recordWatched() {
      Metrics.Watch watch = watched;
      if (watch != null && recipe.recording().watch().contains(Recording.Quantity.RESPONSES)) {
        Metrics.Layers layers = learner.layers(step);
        watch = layers == null ? watch : watch.withResponses(layers.responses());
      }
      if (watch != null) {
        run.append(watch);
      }
    }

    /// What epochs are judged by, by the weights as they are now, predicted once.
    private Evaluation held() {
      Evaluation known = tested;
      if (known == null || testedAt != step) {
        known = learner.held(stop::lookNowAndThen);
        tested = known;
        testedAt = step;
      }
      return known;
    }

    /// The result is written down as soon as it is known: what follows it may need more memory.
    private void finish(Evaluation test, Evaluation train) {
      if (first()) {
        run.append(
            new Metrics.Final(
                step,
                train.error(),
                train.crossEntropy(),
                test.error(),
                test.crossEntropy(),
                seconds()));
      }
      report();
      if (first()) {
        Answers answers = learner.answers(step);
        if (answers != null) {
          run.write(answers);
        }
      }
    }

    /// Only the first worker looks, alone, while the others wait.
    private void report() {
      if (first()) {
        Metrics.Layers layers = learner.layers(step);
        if (layers != null) {
          run.append(layers);
        }
      }
      all.barrier();
    }

    private void checkpoint(boolean best) {
      try (var _ = Scope.open()) {
        var more = learner.stored();
        if (first()) {
          var checkpoint = new Checkpoint(step, seconds(), lossSum, errorSum, speed, watched);
          var card = ModelCard.of(run, null); // the normalization is among the tensors
          var net = learner.net();
          if (best) {
            checkpoint.writeToUse(run.best(), net, more, card);
          } else {
            lastSave.checkpoint(() ->
                checkpoint.write(run.checkpoint(), net, flat, shared().optimizer, more, card));
          }
        }
        all.barrier(); // what the others show stays until it is written
      }
    }

    private double seconds() {
      return secondsBefore + (System.nanoTime() - begun) / 1e9;
    }

    private Progress.StepEnd stepEnd(int epoch, int seen) {
      return new Progress.StepEnd(
          step,
          steps,
          epoch + 1,
          recipe.epochs(),
          lossSum / seen,
          100 * errorSum / seen,
          schedule.at(step - 1, steps),
          speed);
    }
  }
}
