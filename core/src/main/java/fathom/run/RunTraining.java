package fathom.run;

import fathom.Node;
import fathom.data.Data;
import fathom.data.Decoders;
import fathom.data.Normalization;
import fathom.nn.Init;
import fathom.parallel.Processes;
import fathom.task.Evaluation;
import fathom.task.Figures;
import fathom.train.LastSave;
import fathom.train.Listener;
import fathom.train.Metrics;
import fathom.train.MetricsFile;
import fathom.train.Moment;
import fathom.train.Position;
import fathom.train.Recorder;
import fathom.train.RunLock;
import fathom.train.Training;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/// Trains a [Run]: its recipe as a net, a task and a plan, in its folder.
public final class RunTraining {
  private RunTraining() {}

  /// The result of a training.
  ///
  /// @param finished false if the training was asked to stop before its end
  /// @param step the number of steps that were made, of `steps`
  /// @param steps the number of steps of the whole training
  /// @param test the evaluation of all test images, or of the held-out text, with the last weights;
  ///   null unless finished
  /// @param train the evaluation of all training images without augmentation, or of as much
  ///   training text as there is held-out text; null unless finished
  /// @param seconds the time of the training without interruptions
  /// @param examplesPerSecond the throughput of the last epoch
  public record Result(
      boolean finished,
      long step,
      long steps,
      @Nullable Figures test,
      @Nullable Figures train,
      double seconds,
      double examplesPerSecond) {
    private static Result of(Listener.Outcome outcome) {
      var test = outcome.test();
      var train = outcome.training();
      return new Result(
          outcome.finished(),
          outcome.step(),
          outcome.steps(),
          train == null ? null : test,
          train,
          outcome.seconds(),
          outcome.examplesPerSecond());
    }

    /// Returns the evaluation of the last weights on the test data. Throws `IllegalStateException`
    /// unless the training is finished.
    public Evaluation tested() {
      return Evaluation.of(ended(test));
    }

    /// Returns the evaluation of the last weights on the training data. Throws
    /// `IllegalStateException` unless the training is finished.
    public Evaluation trained() {
      return Evaluation.of(ended(train));
    }

    private Figures ended(@Nullable Figures figures) {
      if (figures == null) {
        throw new IllegalStateException(
            "a training has a result at its end, but stands at step %s of %s"
                .formatted(step, steps));
      }
      return figures;
    }
  }

  /// Trains to the end of the recipe, without progress reports. Throws as [#train(Run, Data,
  /// Progress, BooleanSupplier)].
  public static Result train(Run run, Data data) {
    return train(run, data, Progress.NONE, () -> false);
  }

  /// Trains to the end of the recipe, or until `stop` returns true. Then it finishes the step,
  /// writes a checkpoint and returns; an evaluation is broken off, because a checkpoint was written
  /// before it. `stop` is asked after every step, and once a second in long evaluations.
  ///
  /// Throws [fathom.train.DivergedException] if the loss or a gradient is no longer finite,
  /// `IllegalArgumentException` if there is less data than a step needs,
  /// [fathom.io.BadFileException] for other data than that of the run, [fathom.DeviceException] if
  /// this machine does not support the precision or certainly has too little memory, and
  /// [fathom.train.BusyRunException] if another training works on the run.
  public static Result train(Run run, Data data, Progress progress, BooleanSupplier stop) {
    return train(run, data, Runtime.getRuntime().availableProcessors(), progress, stop);
  }

  /// Trains with this number of threads that prefetch and decode photos, 0 or more. The threads end
  /// with the training, and their number changes no weight.
  public static Result train(
      Run run, Data data, int decoders, Progress progress, BooleanSupplier stop) {
    return train(run, data, decoders, progress, stop, new LastSave());
  }

  /// Trains in the same way; `lastSave` can save the training from another thread meanwhile.
  public static Result train(
      Run run,
      Data data,
      int decoders,
      Progress progress,
      BooleanSupplier stop,
      LastSave lastSave) {
    return train(run, data, decoders, progress, stop, lastSave, Processes.NONE);
  }

  /// Trains over processes, each of which calls this with the same run, in a folder that all see.
  /// Rank 0 alone writes and reports progress. Throws also [fathom.parallel.LostProcessException]
  /// if another process is lost.
  public static Result train(
      Run run,
      Data data,
      int decoders,
      Progress progress,
      BooleanSupplier stop,
      LastSave lastSave,
      Processes processes) {
    run.recipe().check(data);
    run.recipe().precision().check();
    Resumption.check(run, data);
    LeastMemory.check(run);
    boolean writes = processes.rank() == 0;
    try (var _ = writes ? RunLock.of(run.folder()) : null;
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
                  writes ? List.of(recorder, new Reported(progress)) : List.of(),
                  past(run, data),
                  stop,
                  new Training.Distributed(processes, run.recipe().execution().syncBatchNorm())));
    }
  }

  private static Training.Past past(Run run, Data data) {
    if (!Files.exists(run.checkpoint())) {
      return Training.Past.NONE;
    }
    long step = Position.step(run.checkpoint());
    long batches = run.recipe().kind().amounts(run.recipe(), data).steps();
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

  /// Builds the net that a run by this recipe would have, in the innermost scope.
  public static Node net(Recipe recipe, Data data, Init init) {
    float[] ones = new float[data.input().isEmpty() ? 1 : data.input().getFirst()];
    Arrays.fill(ones, 1); // any normalization will do, so no image is read to find the true one
    try (var none = Decoders.start(0)) {
      return recipe
          .kind()
          .subject(
              Run.unwritten(recipe, data),
              data,
              none,
              Normalization.of(new float[ones.length], ones))
          .net()
          .apply(init);
    }
  }

  /// The net and the task of a run. The normalization of images comes from its checkpoint, if there
  /// is one.
  static Subject<?> subject(Run run, Data data, Decoders decoders) {
    Kind kind = run.recipe().kind();
    boolean begun = Files.exists(run.checkpoint());
    boolean known = begun && kind.normalizes();
    Subject<?> subject = kind.subject(run, data, decoders, known ? run.normalization() : null);
    return begun ? subject : subject.from(run.recipe().fineTuning());
  }

  /// Passes the events of a training on to a [Progress].
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
              now.learningRate(),
              now.examplesPerSecond()));
    }

    @Override
    public void epoch(Moment now, Metrics.Epoch epoch, boolean best) {
      progress.epoch(epoch);
    }
  }
}
