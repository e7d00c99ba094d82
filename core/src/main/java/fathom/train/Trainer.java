package fathom.train;

import fathom.Collective;
import fathom.DType;
import fathom.FlatParams;
import fathom.Layer;
import fathom.Param;
import fathom.Scope;
import fathom.Step;
import fathom.Tensor;
import fathom.Traced;
import fathom.data.DataSet;
import fathom.data.Epochs;
import fathom.data.Loader;
import fathom.data.Normalization;
import fathom.data.Rows;
import fathom.loss.CrossEntropy;
import fathom.nn.BatchNorm;
import fathom.nn.Fused;
import fathom.nn.Init;
import fathom.nn.Watched;
import fathom.optim.Schedule;
import fathom.optim.Sgd;
import java.nio.file.Files;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Trains the net of a run, from where its checkpoint stands, or from the start.
///
/// Every worker runs this same program: its own tree of layers over one block of parameter values,
/// its share of every batch, its own block of gradients. Gradients are summed in the order of ranks
/// and the first worker makes the step. Order, augmentation and rate are functions of the step, so
/// a run that was stopped continues as if it had not been.
public final class Trainer {
  private static final int REPORT_ROWS = 64;

  private final Run run;
  private final Recipe recipe;
  private final DataSet data;
  private final Progress progress;
  private final BooleanSupplier stop;
  private final Normalization normalization;
  private final Epochs epochs;
  private final long steps;
  private final Schedule schedule;
  private final Checkpoint start;
  private final AtomicReference<@Nullable Shared> shared = new AtomicReference<>();
  private final AtomicReference<@Nullable Result> result = new AtomicReference<>();

  /// What all workers use: the values, and the optimizer that changes them.
  private record Shared(FlatParams flat, Sgd sgd) {}

  /// How a training ended.
  ///
  /// @param finished false if it was asked to stop before
  /// @param test all test pictures by the last weights
  /// @param train all training pictures, as they are; null unless finished
  public record Result(
      boolean finished,
      Evaluation test,
      @Nullable Evaluation train,
      double seconds,
      double imagesPerSecond) {}

  private Trainer(Run run, DataSet data, Progress progress, BooleanSupplier stop) {
    this.run = run;
    this.recipe = run.recipe();
    this.data = data;
    this.progress = progress;
    this.stop = stop;
    this.epochs = new Epochs(recipe.seed(), data.train().count(), recipe.batch());
    this.steps = (long) recipe.epochs() * epochs.batches();
    this.schedule = recipe.schedule(steps);
    boolean resumed = Files.exists(run.checkpoint());
    this.start = resumed ? Checkpoint.position(run.checkpoint()) : new Checkpoint(0, 0, 0, 0);
    this.normalization =
        resumed ? Checkpoint.normalization(run.checkpoint()) : recipe.normalization(data.train());
  }

  /// Trains to the end of the recipe, or until `stop` says so: then it finishes the step, writes a
  /// checkpoint and returns. Throws [DivergedException] if the loss or a gradient is no number any
  /// more.
  public static Result train(Run run, DataSet data, Progress progress, BooleanSupplier stop) {
    var trainer = new Trainer(run, data, progress, stop);
    run.truncate(trainer.start.step());
    Workers.run(
        run.recipe().workers(),
        all -> {
          try (var _ = Scope.open()) {
            trainer.new Worker(all).train();
          }
        });
    return Objects.requireNonNull(trainer.result.get());
  }

  /// One worker's part: its trees over the shared values, plain and fused, and its share of the
  /// sums.
  private final class Worker {
    private final Collective all;
    private final Layer plain;
    private final Layer net;
    private final FlatParams flat;
    private final Loader loader = new Loader(data.train(), normalization);
    private final long begun = System.nanoTime();
    private long step = start.step();
    private double lossSum = start.lossSum();
    private double errorSum = start.errorSum();
    private double speed;
    private @Nullable Evaluation tested;
    private long testedAt;

    Worker(Collective all) {
      this.all = all;
      this.plain = build();
      this.net = Fused.of(plain);
      this.flat = share();
      if (step > 0) {
        resume();
      }
      all.barrier();
    }

    private boolean first() {
      return all.rank() == 0;
    }

    private Layer build() {
      Init init = first() && step == 0 ? Init.he(recipe.seed()) : Init.zeros();
      Layer net = run.net().build(init);
      return recipe.shardStatistics()
          ? Layer.map(net, (_, layer) -> layer instanceof BatchNorm norm ? norm.ofShards() : layer)
          : net;
    }

    private FlatParams share() {
      if (first()) {
        var flat = FlatParams.of(net.params());
        shared.set(new Shared(flat, new Sgd(flat, recipe.momentum(), recipe.weightDecay())));
      }
      all.barrier();
      return first() ? shared().flat : shared().flat.shareWith(net.params());
    }

    private Shared shared() {
      return Objects.requireNonNull(shared.get());
    }

    /// The first worker reads what is shared, every worker its own buffers; all write the same.
    private void resume() {
      if (first()) {
        Weights.read(run.checkpoint(), net);
        Checkpoint.readVelocity(run.checkpoint(), net, shared().flat, shared().sgd);
      }
      all.barrier();
      if (!first()) {
        Weights.read(run.checkpoint(), net);
      }
    }

    void train() {
      if (step == 0) {
        report();
      }
      boolean stopped = false;
      while (step < steps && !stopped) {
        stopped = epoch((int) (step / epochs.batches()));
      }
      finish();
    }

    /// The rest of an epoch; returns whether it was broken off, after a checkpoint.
    private boolean epoch(int epoch) {
      int[] order = epochs.order(epoch);
      long began = System.nanoTime();
      long seen = 0;
      boolean stopped = false;
      while (step < (epoch + 1L) * epochs.batches() && !stopped) {
        Rows batch = epochs.batch((int) (step % epochs.batches()));
        stopped = step(epoch, order, batch);
        step++;
        seen += batch.count();
        speed = seen / ((System.nanoTime() - began) / 1e9);
        if (first()) {
          progress.step(stepEnd(epoch, batch.to()));
        }
      }
      if (step == (epoch + 1L) * epochs.batches()) {
        endEpoch();
      } else if (first()) {
        checkpoint();
      }
      return stopped;
    }

    /// One step; returns whether to stop after it.
    private boolean step(int epoch, int[] order, Rows batch) {
      Rows own = batch.share(all.rank(), all.size());
      int[] labels = loader.labels(order, own);
      var context = new Step(recipe.seed(), step, all, batch.count());
      try (var _ = Scope.open()) {
        Tensor x = loader.pictures(order, own, recipe.augmentation(), epochs.augment(epoch));
        double[] sums = context.run(() -> gradients(net, x, labels));
        sums[2] = first() && stop.getAsBoolean() ? 1 : 0;
        all.allReduce(sums);
        Tensor gradient = flat.gradient();
        all.allReduce(gradient);
        if (!Double.isFinite(sums[0]) || !Double.isFinite(gradient.sum().item())) {
          throw context.run(() -> diverged(x, labels));
        }
        lossSum += sums[0] * batch.count();
        errorSum += sums[1];
        if (first()) {
          shared().sgd.step(schedule.at(step));
        } else {
          flat.gradients().fill((byte) 0);
        }
        all.barrier(); // nobody reads the values before they are changed
        return sums[2] > 0;
      }
    }

    /// Adds to the gradients; returns this worker's share of the loss and its errors.
    private double[] gradients(Layer net, Tensor x, int[] labels) {
      try (var _ = Scope.open()) {
        Traced logits = net.forward(x);
        Traced loss = CrossEntropy.of(logits.value(), labels);
        logits.accumulate(loss.back(Tensor.scalar(DType.FLOAT32, 1)));
        return new double[] {loss.value().item(), Evaluation.errors(logits.value(), labels), 0};
      }
    }

    /// Runs the batch again with an eye on every layer, and says which was the first that failed.
    private RuntimeException diverged(Tensor x, int[] labels) {
      var search = new FirstNonFinite();
      gradients(Watched.leaves(plain, search), x, labels);
      if (search.found() != null) {
        throw new DivergedException(step, search.found());
      }
      all.barrier(); // a worker that has found it ends the meeting
      return new DivergedException(step, "the gradient of a weight is not finite");
    }

    private void endEpoch() {
      if (recipe.shardStatistics()) {
        for (Param param : plain.state().values()) {
          if (!param.trained()) {
            all.broadcast(param.value(), 0);
          }
        }
      }
      Evaluation test = test();
      double count = data.train().count();
      var epoch =
          new Metrics.Epoch(
              (int) (step / epochs.batches()),
              step,
              schedule.at(step - 1),
              lossSum / count,
              100 * errorSum / count,
              test.crossEntropy(),
              test.error(),
              seconds(),
              speed);
      lossSum = 0;
      errorSum = 0;
      if (first()) {
        run.append(epoch);
        checkpoint();
        progress.epoch(epoch);
      }
    }

    /// All test pictures by the weights as they are now, predicted once.
    private Evaluation test() {
      Evaluation known = tested;
      if (known == null || testedAt != step) {
        known = Evaluation.of(net, data.test(), normalization, all);
        tested = known;
        testedAt = step;
      }
      return known;
    }

    private void finish() {
      boolean finished = step == steps;
      Evaluation test = test();
      Evaluation train = finished ? Evaluation.of(net, data.train(), normalization, all) : null;
      if (train != null) {
        report();
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
      }
      if (first()) {
        result.set(new Result(finished, test, train, seconds(), speed));
      }
    }

    /// Only the first worker looks, alone, while the others wait.
    private void report() {
      if (first()) {
        Rows rows = new Rows(0, Math.min(REPORT_ROWS, data.train().count()));
        int[] order = IntStream.range(0, rows.to()).toArray();
        try (var _ = Scope.open()) {
          Tensor x = loader.pictures(order, rows);
          run.append(LayerReport.of(plain, x, loader.labels(order, rows), step));
        }
      }
      all.barrier();
    }

    private void checkpoint() {
      new Checkpoint(step, seconds(), lossSum, errorSum)
          .write(run.checkpoint(), plain, shared().flat, shared().sgd, normalization);
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

  /// Finds the layer at which numbers first stop being finite.
  private static final class FirstNonFinite implements Watched.Observer {
    private @Nullable String found;

    @Nullable String found() {
      return found;
    }

    @Override
    public void value(String path, Layer layer, Tensor y) {
      note("the value of layer %s (%s) is not finite".formatted(path, layer), y);
    }

    @Override
    public void cotangent(String path, Layer layer, Tensor dy) {
      note(
          "the cotangent that comes back to layer %s (%s) is not finite".formatted(path, layer),
          dy);
    }

    private void note(String what, Tensor t) {
      try (var _ = Scope.open()) {
        if (found == null && !Double.isFinite(t.to(DType.FLOAT64).sum().item())) {
          found = what;
        }
      }
    }
  }
}
