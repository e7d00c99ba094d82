package fathom.run;

import fathom.Layer;
import fathom.Node;
import fathom.data.Data;
import fathom.data.DataSet;
import fathom.data.Decoders;
import fathom.data.Normalization;
import fathom.data.Text;
import fathom.net.LanguageModel;
import fathom.nn.BatchNorm;
import fathom.nn.Init;
import fathom.nn.Recompute;
import fathom.task.CharacterModel;
import fathom.task.Evaluation;
import fathom.task.ImageClassification;
import fathom.task.Task;
import fathom.train.LastSave;
import fathom.train.Listener;
import fathom.train.Metrics;
import fathom.train.MetricsFile;
import fathom.train.Moment;
import fathom.train.Plan;
import fathom.train.Position;
import fathom.train.Recorder;
import fathom.train.RunLock;
import fathom.train.Training;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The training of a [Run]: its recipe as a net, a task and a plan, in its folder.
public final class RunTraining {
  private RunTraining() {}

  /// How a training ended.
  ///
  /// @param finished false if it was asked to stop before
  /// @param step the steps that were made, of `steps`
  /// @param test all test images, or the text that is held out, by the last weights; null unless
  ///   finished
  /// @param train all training images, as they are, or as much of the text that was trained with;
  ///   null unless finished
  public record Result(
      boolean finished,
      long step,
      long steps,
      @Nullable Evaluation test,
      @Nullable Evaluation train,
      double seconds,
      double examplesPerSecond) {
    private static Result of(Listener.Outcome outcome) {
      var test = outcome.test();
      var train = outcome.training();
      return new Result(
          outcome.finished(),
          outcome.step(),
          outcome.steps(),
          test == null || train == null ? null : Evaluation.of(test),
          train == null ? null : Evaluation.of(train),
          outcome.seconds(),
          outcome.examplesPerSecond());
    }

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

  /// What is trained, before it has workers.
  record Subject<N extends Node>(Function<Init, N> net, Task<N> task) {
    Listener.Outcome train(
        Plan plan, List<Listener> listeners, Training.Past past, BooleanSupplier stop) {
      return new Training<>(net, task, plan, listeners, past, stop).run();
    }
  }

  /// Trains to the end of the recipe, or until `stop` says so: then it finishes the step, writes a
  /// checkpoint and returns, or breaks off an evaluation, before which it has written one. It asks
  /// after every step, and in long evaluations every second. Throws
  /// [fathom.train.DivergedException] if the loss or a gradient is no number any more,
  /// `IllegalArgumentException` if there is less data than a step needs, [fathom.BadFileException]
  /// for other data than that of the run, and [fathom.DeviceException] if this machine does not
  /// have the precision, and [fathom.train.BusyRunException] if another training works on the run.
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
      var recorder =
          new Recorder(
              run.folder(),
              run.metricsFile(),
              run.recipe().recording(),
              run.card(null).metadata(), // the normalization is among the tensors
              lastSave);
      return Result.of(
          subject(run, data, threads)
              .train(
                  run.recipe().plan(),
                  List.of(recorder, new Reported(progress)),
                  past(run, data),
                  stop));
    }
  }

  private static Training.Past past(Run run, Data data) {
    if (!Files.exists(run.checkpoint())) {
      return Training.Past.NONE;
    }
    long step = Position.step(run.checkpoint());
    long batches = run.recipe().batches(data);
    var epochs = new ArrayList<Metrics.Epoch>();
    for (Metrics line : run.metrics()) {
      if (line instanceof Metrics.Epoch epoch && MetricsFile.isKept(epoch, step, batches)) {
        epochs.add(epoch);
      }
    }
    return new Training.Past(
        run.checkpoint(),
        epochs,
        run.info().data().changes().stream().anyMatch(change -> change.step() == step));
  }

  /// The net and the task of a run; what is done to images is what its checkpoint says, if there is
  /// one.
  static Subject<?> subject(Run run, Data data, Decoders decoders) {
    Normalization known =
        Files.exists(run.checkpoint()) && data instanceof DataSet ? run.normalization() : null;
    return subject(run, data, decoders, known);
  }

  static Subject<?> subject(Run run, Data data, Decoders decoders, @Nullable Normalization known) {
    Recipe recipe = run.recipe();
    return switch (data) {
      case DataSet images -> {
        DataSet judged = images.judgedBy(recipe.validation(), recipe.seed()).decodedBy(decoders);
        Preparation preparation = recipe.preparation();
        yield new Subject<>(
            init -> layers(run, init),
            new ImageClassification(
                judged,
                known != null ? known : preparation.normalization(judged.train()),
                preparation.augmentation(),
                recipe.precision().type(),
                recipe.descent().smoothing()));
      }
      case Text text ->
          new Subject<LanguageModel>(
              run::textNet,
              new CharacterModel(text, recipe.window(), recipe.descent().smoothing()));
    };
  }

  /// The net as its recipe wants it computed.
  private static Layer layers(Run run, Init init) {
    Recipe recipe = run.recipe();
    Layer net = run.pictureNet(init);
    Layer normed =
        recipe.shardStatistics()
            ? Layer.map(
                net, (_, layer) -> layer instanceof BatchNorm norm ? norm.ofShards() : layer)
            : net;
    return recipe.recompute() > 0 ? Recompute.every(recipe.recompute(), normed) : normed;
  }

  /// Tells a [Progress] what it wants to hear.
  private record Reported(Progress progress) implements Listener {
    @Override
    public void step(Moment now) {
      var soFar = now.soFar().values();
      progress.step(
          new Progress.StepEnd(
              now.step(),
              now.steps(),
              now.epoch(),
              now.epochs(),
              now.soFar().loss(),
              soFar.getOrDefault(Metrics.ERROR, Double.NaN),
              now.rate(),
              now.examplesPerSecond()));
    }

    @Override
    public void epoch(Moment now, Metrics.Epoch epoch, boolean best) {
      progress.epoch(epoch);
    }
  }
}
