package fathom.train;

import fathom.BadFileException;
import fathom.Collective;
import fathom.DType;
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
import java.util.Map;
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
public final class Trainer {
  private final Run run;
  private final Recipe recipe;
  private final BiFunction<Collective, Init, Learner> learners;
  private final Progress progress;
  private final BooleanSupplier stop;
  private final Checkpoint start;
  private final AtomicReference<@Nullable Shared> shared = new AtomicReference<>();
  private final AtomicReference<@Nullable Result> result = new AtomicReference<>();

  /// What all workers use: the values, and the optimizer that changes them.
  private record Shared(FlatParams flat, Optimizer optimizer) {}

  /// How a training ended.
  ///
  /// @param finished false if it was asked to stop before
  /// @param test all test pictures, or the text that is held out, by the last weights
  /// @param train all training pictures, as they are, or as much of the text that was trained with;
  ///   null unless finished
  public record Result(
      boolean finished,
      Evaluation test,
      @Nullable Evaluation train,
      double seconds,
      double examplesPerSecond) {}

  private Trainer(Run run, Data data, Decoders decoders, Progress progress, BooleanSupplier stop) {
    this.run = run;
    this.recipe = run.recipe();
    this.progress = progress;
    this.stop = stop;
    boolean resumed = Files.exists(run.checkpoint());
    this.start = resumed ? position(run) : new Checkpoint(0, 0, 0, 0);
    this.learners =
        Learner.makers(
            run,
            data,
            decoders,
            resumed && !recipe.isText() ? Checkpoint.normalization(run.checkpoint()) : null,
            start.step());
  }

  /// Sums over examples of other data than this mean nothing.
  private static Checkpoint position(Run run) {
    Checkpoint at = Checkpoint.position(run.checkpoint());
    return run.info().data().changes().stream().anyMatch(change -> change.step() == at.step())
        ? new Checkpoint(at.step(), at.seconds(), 0, 0)
        : at;
  }

  /// Trains to the end of the recipe, or until `stop` says so: then it finishes the step, writes a
  /// checkpoint and returns. Throws [DivergedException] if the loss or a gradient is no number any
  /// more, `IllegalArgumentException` if there is less data than a step needs, [BadFileException]
  /// for other data than that of the run, and [fathom.DeviceException] if this machine does not
  /// have the precision, and [BusyRunException] if another training works on the run.
  public static Result train(Run run, Data data, Progress progress, BooleanSupplier stop) {
    return train(run, data, Runtime.getRuntime().availableProcessors(), progress, stop);
  }

  /// The same with so many threads that decode photographs ahead, 0 or more; they end with it, and
  /// how many there are changes no weight.
  public static Result train(
      Run run, Data data, int decoders, Progress progress, BooleanSupplier stop) {
    run.recipe().check(data);
    run.recipe().precision().check();
    Resumption.check(run, data);
    try (var _ = RunLock.of(run.folder());
        var threads = Decoders.start(decoders)) {
      return locked(run, data, threads, progress, stop);
    }
  }

  private static Result locked(
      Run run, Data data, Decoders decoders, Progress progress, BooleanSupplier stop) {
    var trainer = new Trainer(run, data, decoders, progress, stop);
    run.truncate(trainer.start.step(), run.recipe().batches(data));
    Workers.run(
        run.recipe().workers(),
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
    private double speed;
    private Metrics.@Nullable Epoch best;
    private Metrics.@Nullable Watch watched;
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
      this.schedule = recipe.descent().schedule(steps);
      this.flat = share();
      if (step > 0) {
        resume();
      }
      for (Metrics metrics : run.metrics()) {
        if (metrics instanceof Metrics.Epoch epoch && isBest(epoch)) {
          best = epoch;
        }
      }
      all.barrier();
    }

    private boolean first() {
      return all.rank() == 0;
    }

    private FlatParams share() {
      var params = learner.net().params();
      if (first()) {
        var flat = FlatParams.of(params);
        shared.set(new Shared(flat, recipe.descent().over(flat, step)));
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
      if (step == 0) {
        report();
      }
      if (first() && recipe.recording().tensorboard() && step < steps) {
        board = board();
      }
      boolean stopped = false;
      while (step < steps && !stopped) {
        stopped = epoch((int) (step / batches));
      }
      finish();
    }

    private TensorBoard board() {
      var begun = new TensorBoard(run.events());
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
        stopped = step(batch, examples.count());
        step++;
        seen += examples.count();
        speed = seen / ((System.nanoTime() - began) / 1e9);
        if (first()) {
          progress.step(stepEnd(epoch, examples.to() - ofOtherData(epoch)));
        }
      }
      if (step == (epoch + 1L) * batches) {
        endEpoch();
      } else {
        checkpoint(false);
      }
      return stopped;
    }

    /// One step; returns whether to stop after it.
    private boolean step(int batch, int examples) {
      var context = new Step(recipe.seed(), step, all, examples);
      try (var _ = Scope.open()) {
        double[] share = context.run(() -> learner.gradients(batch));
        double[] sums = {share[0], share[1], first() && stop.getAsBoolean() ? 1 : 0};
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
          if (!watch.isEmpty() && batch == batches - 1) {
            watched = LayerWatch.around(learner.net(), watch, step + 1, this::move);
          } else {
            move();
          }
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
      shared().optimizer.step(schedule.at(step));
    }

    /// Says where it was seen first.
    private RuntimeException diverged(int batch) {
      String found = learner.notFinite(batch);
      if (found != null) {
        throw new DivergedException(step, found);
      }
      all.barrier(); // a worker that has found it ends the meeting
      return new DivergedException(step, weightNotFinite());
    }

    /// Where every value and cotangent is finite, and only a sum of their products is not.
    private String weightNotFinite() {
      for (Map.Entry<String, Param> entry : learner.net().state().entrySet()) {
        try (var _ = Scope.open()) {
          Param param = entry.getValue();
          if (param.trained() && !Double.isFinite(param.grad().to(DType.FLOAT64).sum().item())) {
            return "the gradient of %s is not finite".formatted(entry.getKey());
          }
        }
      }
      return "the loss is not finite";
    }

    private void endEpoch() {
      if (recipe.shardStatistics()) {
        for (Param param : learner.net().state().values()) {
          if (!param.trained()) {
            all.broadcast(param.value(), 0);
          }
        }
      }
      Evaluation test = held();
      double count = learner.batch(batches - 1).to() - ofOtherData((int) (step / batches) - 1);
      var epoch =
          new Metrics.Epoch(
              (int) (step / batches),
              step,
              schedule.at(step - 1),
              lossSum / count,
              100 * errorSum / count,
              test.crossEntropy(),
              test.error(),
              seconds(),
              speed,
              recipe.measuredOn());
      lossSum = 0;
      errorSum = 0;
      if (first()) {
        run.append(epoch);
        recordWatched();
        if (board != null) {
          board.epoch(epoch, learner.net());
        }
      }
      boolean better = isBest(epoch);
      best = better ? epoch : best;
      checkpoint(better);
      if (first()) {
        progress.epoch(epoch);
      }
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

    /// Errors decide between epochs of pictures, and where they are equal the loss, which alone
    /// decides between those of text.
    private boolean isBest(Metrics.Epoch epoch) {
      Metrics.Epoch before = best;
      if (before == null) {
        return true;
      }
      return (recipe.isText() || epoch.testError() == before.testError())
          ? epoch.testLoss() < before.testLoss()
          : epoch.testError() < before.testError();
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
      watched = null;
    }

    /// What epochs are judged by, by the weights as they are now, predicted once.
    private Evaluation held() {
      Evaluation known = tested;
      if (known == null || testedAt != step) {
        known = learner.held();
        tested = known;
        testedAt = step;
      }
      return known;
    }

    private void finish() {
      boolean finished = step == steps;
      Evaluation test = recipe.validation() > 0 ? learner.test() : held();
      Evaluation train = finished ? learner.trained() : null;
      if (train != null) {
        report();
        if (first()) {
          Answers answers = learner.answers(step);
          if (answers != null) {
            run.write(answers);
          }
          run.append(
              new Metrics.Final(
                  step,
                  train.error(),
                  train.crossEntropy(),
                  test.error(),
                  test.crossEntropy(),
                  seconds()));
        }
      }
      if (first()) {
        result.set(new Result(finished, test, train, seconds(), speed));
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

    /// The best one first: a run that is killed between the two makes its epoch again.
    private void checkpoint(boolean alsoBest) {
      try (var _ = Scope.open()) {
        var more = learner.stored();
        if (first()) {
          var checkpoint = new Checkpoint(step, seconds(), lossSum, errorSum);
          var card = ModelCard.of(run, null); // the normalization is among the tensors
          if (alsoBest) {
            checkpoint.writeToUse(run.best(), learner.net(), more, card);
          }
          checkpoint.write(run.checkpoint(), learner.net(), flat, shared().optimizer, more, card);
        }
        all.barrier(); // what the others show stays until it is written
      }
    }

    private double seconds() {
      return start.seconds() + (System.nanoTime() - begun) / 1e9;
    }

    private Progress.StepEnd stepEnd(int epoch, int seen) {
      return new Progress.StepEnd(
          step,
          steps,
          epoch + 1,
          recipe.epochs(),
          lossSum / seen,
          100 * errorSum / seen,
          schedule.at(step - 1),
          speed);
    }
  }
}
