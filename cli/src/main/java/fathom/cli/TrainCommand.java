package fathom.cli;

import fathom.Scope;
import fathom.data.Data;
import fathom.infer.OpenWeights;
import fathom.io.BadFileException;
import fathom.net.Architecture;
import fathom.nn.Init;
import fathom.parallel.Launch;
import fathom.parallel.Processes;
import fathom.report.run.RunReport;
import fathom.run.FineTuning;
import fathom.run.Kind;
import fathom.run.Preprocessing;
import fathom.run.PublishedRecipe;
import fathom.run.Recipe;
import fathom.run.Run;
import fathom.run.RunData;
import fathom.run.RunTraining;
import fathom.task.Figures;
import fathom.train.LastSave;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "train",
    description = "Trains a model, and writes a run: weights, metrics and a report.",
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  fathom train resnet20 --data digits",
      "  fathom train resnet50 --data images:photos --val 500 --watch gradients,updates",
      "  fathom train ln-lstm --data text:book.txt --hidden 512",
      "  fathom train --weights weights.safetensors --data images:photos",
      "  fathom train --resume runs/resnet20-digits-1 --epochs 40"
    })
final class TrainCommand implements Callable<Integer> {
  @Mixin private final Output output = new Output();

  @Mixin private final DeviceOption device = new DeviceOption();

  @Parameters(
      arity = "0..1",
      paramLabel = "MODEL",
      description = "The model: see \"fathom models\".")
  private @Nullable String model;

  @Mixin private final ModelsCommand.ModelOptions modelOptions = new ModelsCommand.ModelOptions();

  @OnResume
  @Option(
      names = "--data",
      paramLabel = "DATA",
      description =
          "The data: images:DIR, shards:DIR, text:FILE, masks:DIR, mnist or digits. "
              + "digits is built in. mnist, cifar10 and the like are folders below $FATHOM_DATA; "
              + "the path of such a folder will do as well. images:DIR has a folder for each class. "
              + "text:FILE is for a net that learns text. masks:DIR, for masknet, has the folders "
              + "images and masks, in which every image has a mask of its name.")
  private @Nullable String data;

  @Option(
      names = "--size",
      paramLabel = "N",
      description =
          "Decodes images from their files as NxN each time they are used. In training a "
              + "random part of each image is taken. Default: 224 for the nets for photos "
              + "(resnet18, 34, 50, ...); for others the size that all images have, or else 32, in "
              + "memory. Of masks: the squares that training sees. Default: 96.")
  private @Nullable Integer size;

  @Mixin private final ImageOptions reading = new ImageOptions();

  @Mixin private final RecipeOption recipe = new RecipeOption();

  @Mixin private final FineTuneOptions fineTune = new FineTuneOptions();

  @Mixin private final SamplingOptions sampling = new SamplingOptions();

  @Mixin private final BalanceOptions balance = new BalanceOptions();

  @Mixin private final AugmentationOptions augmentation = new AugmentationOptions();

  @Mixin private final OptimizationOptions optimization = new OptimizationOptions();

  @Mixin private final ExecutionOptions execution = new ExecutionOptions();

  @Mixin private final ProcessOptions together = new ProcessOptions();

  @Mixin private final RecordingOptions recording = new RecordingOptions();

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "The seed of every random number. Default: 1.")
  private long seed = 1;

  @Option(
      names = "--out",
      paramLabel = "RUN",
      description = "The folder of the run. Default: a new one below runs/.")
  private @Nullable Path out;

  @OnResume
  @Option(
      names = "--resume",
      paramLabel = "RUN",
      description =
          "Goes on with a run, by its own recipe. Only --epochs, --workers and --recompute "
              + "change that. --data says where its data is now.")
  private @Nullable Path resume;

  @OnResume
  @Rare
  @Option(
      names = "--data-changed",
      description =
          "With --resume: goes on although the data is another than before. The classes must "
              + "be the same. The result is no longer that of one training, and the run says so.")
  private boolean dataChanged;

  @Option(
      names = "--dry-run",
      description =
          "Only prints the resolved recipe, and the memory and time it needs. A few steps are "
              + "made, and their time is carried on to the whole training; also whether it fits "
              + "into the memory that there is. Takes a few seconds.")
  private boolean dryRun;

  @Mixin private final RateTestOption rateTest = new RateTestOption();

  /// What started this process.
  private Launch launch = Launch.NONE;

  /// The processes that train together, of which this is one.
  private Processes processes = Processes.NONE;

  @Override
  public Integer call() {
    device.check();
    launch = output.usage(Launch::here);
    if (!launch.isLaunched()) {
      return trained();
    }
    if (dryRun) {
      return launch.rank() == 0 ? trained() : Exit.DONE;
    }
    if (out == null && resume == null) {
      throw output.refused(
          "several processes work in one folder, but each would choose its own (%s); give --out, on a file system that all hosts share"
              .formatted(launch));
    }
    try (Processes all = together.join(launch, output)) {
      processes = all;
      return all.telling(this::trained);
    }
  }

  private Integer trained() {
    if (resume != null) {
      return resume(resume);
    }
    if (dataChanged) {
      throw output.refused("--data-changed is for --resume; leave it out");
    }
    output.checked(execution::check);
    String dataName = output.required(data, "--data");
    Kind kind = Kind.ofData(dataName);
    Resolved all;
    try (OpenWeights open = fineTune.isGiven(output) ? fineTune.open() : null) {
      all = resolved(kind, dataName, open);
    }
    Recipe resolved = all.recipe;
    Data read = all.read;
    output.checked(() -> built(resolved, read));
    balance.tell(resolved, read, output);
    if (dryRun) {
      DryRunAnswer.give(resolved, read, output);
      return Exit.DONE;
    }
    if (rateTest.isGiven()) {
      rateTest.run(resolved, read, execution.decoders(), out, output);
      return Exit.DONE;
    }
    resolved.precision().check();
    Path folder = out != null ? out : freeFolder(resolved.model(), dataName);
    return train(
        ProcessOptions.agreed(
            processes,
            folder,
            resolved,
            read,
            output,
            () ->
                launch.isLaunched() && Run.isIn(folder)
                    ? output.usage(() -> ProcessOptions.goingOn(folder, resolved, read, output))
                    : Run.create(folder, resolved, read)),
        read);
  }

  private record Resolved(Recipe recipe, Data read) {}

  /// Opens the data and decides all of the recipe, which may begin with weights.
  private Resolved resolved(Kind kind, String dataName, @Nullable OpenWeights open) {
    WeightsFile weights = open == null ? null : WeightsFile.of(open, output);
    Architecture net = net(kind, weights);
    Integer side = weights == null ? size : side(weights, net);
    Data read = output.usage(() -> read(kind, net, dataName, side));
    Recipe recipe = output.usage(() -> recipe(net, read, side, open));
    if (weights != null) {
      fineTune.tell(recipe.fineTuning(), weights, read, output);
    }
    return new Resolved(recipe, read);
  }

  private Architecture net(Kind kind, @Nullable WeightsFile weights) {
    if (weights != null) {
      return fineTune.net(weights, model, modelOptions.options(), output);
    }
    String modelName = output.required(model, "MODEL");
    return output.usage(() -> kind.architecture(modelName, modelOptions.options()));
  }

  /// Returns the side in pixels of photos: as the user says, or as the weights were trained on.
  private @Nullable Integer side(WeightsFile weights, Architecture net) {
    boolean photos = Boolean.TRUE.equals(weights.card().photos());
    return size == null && photos && net instanceof Architecture.OfClasses of
        ? Integer.valueOf(weights.side(null, of))
        : size;
  }

  private Data read(Kind kind, Architecture net, String dataName, @Nullable Integer side) {
    Data read = Data.open(dataName, kind.reading(net, reading.of(0), side));
    if (size != null && size > 0 && !kind.hasSize(read)) {
      throw new IllegalArgumentException(
          "`size` is for a folder of images, but %s is none; leave it out".formatted(dataName));
    }
    return read;
  }

  /// Builds the net once, because only building shows whether its options fit each other and the
  /// data.
  private static void built(Recipe recipe, Data read) {
    try (var _ = Scope.open()) {
      var _ = RunTraining.net(recipe, read, Init.zeros());
    }
  }

  private Recipe recipe(
      Architecture net, Data read, @Nullable Integer side, @Nullable OpenWeights open) {
    FineTuning from = open == null ? FineTuning.NONE : fineTune.of(open, net, read, output);
    Recipe base =
        fineTune.begun(recipe.of(net, read, from, seed, execution.workers(), output), output);
    Preprocessing sized =
        side == null ? base.preprocessing() : base.kind().sized(base.preprocessing(), side);
    Recipe resolved =
        base.with(balance.of(sampling.of(base.sampling())))
            .with(optimization.of(base.optimization()))
            .with(sized.with(augmentation.of(sized.variation())))
            .with(execution.of(base.execution(), net))
            .with(recording.recording());
    resolved = together.of(resolved, launch);
    resolved = fitting(balance.weighted(resolved, read), read);
    resolved = optimization.warmedUp(resolved, recipe.warmUp(from), read);
    resolved.check(read);
    return resolved;
  }

  /// Returns the recipe with a smaller batch and window where the data has less than usual, unless
  /// the user gave them.
  private Recipe fitting(Recipe usual, Data read) {
    Recipe fits = usual.fitted(read, sampling.anyBatch(), sampling.anyWindow());
    if (!fits.equals(usual)) {
      output.remark("fathom: " + usual.kind().wording().fitted(usual, fits, read));
    }
    return fits;
  }

  private int resume(Path folder) {
    if (model != null) {
      throw output.refused(
          "--resume goes on with the net of the run, but %s was given; leave out MODEL"
              .formatted(model));
    }
    OnResume.Rule.refusal(output.written(), folder)
        .ifPresent(why -> {
          throw output.refused(why);
        });
    output.checked(execution::check);
    Run run = Run.open(folder);
    if (!Files.exists(run.checkpoint())) {
      throw new BadFileException(
          folder, "the run was stopped before its first checkpoint; start it anew");
    }
    Recipe before = run.recipe();
    boolean sync = before.execution().syncBatchNorm();
    Recipe now =
        output.usage(() ->
            before
                .with(sampling.of(before.sampling()))
                .with(
                    execution
                        .of(before.execution(), before.architecture())
                        .over(launch.size(), sync)));
    ProcessOptions.tellOfSums(before, now, output);
    String place = data;
    Data read =
        output.usage(
            () -> place == null ? run.open(reading.of(0)) : run.open(place, reading.of(0)));
    Run further =
        ProcessOptions.agreed(
            processes,
            folder,
            now,
            read,
            output,
            () -> output.usage(() -> run.goOn(now, read, dataChanged)));
    tellOfData(run, further);
    return train(further, read);
  }

  /// Says how the data differs from the run's data, or that this cannot be known.
  private void tellOfData(Run before, Run now) {
    if (!before.info().data().identity().known()) {
      output.remark(
          "fathom: the run is of an older version, which wrote down the names of the classes alone:"
              + " they are the same; whether all else is cannot be checked");
    }
    List<RunData.Change> changes = now.info().data().changes();
    if (changes.size() > before.info().data().changes().size()) {
      RunData.Change change = changes.getLast();
      output.remark(
          "fathom: %s: the run goes on from step %s with other data, and is no longer exact"
              .formatted(String.join(", ", change.differences()), change.step()));
    }
  }

  private int train(Run run, Data read) {
    Recipe r = run.recipe();
    ImageOptions.tell(read, output);
    RecipeOption.tell(run, output);
    tellOfFigures(r);
    output
        .err()
        .println(
            "%s on %s: %s of %s, %s, in %s"
                .formatted(
                    r.model(),
                    r.data(),
                    counted(r.epochs(), "epoch"),
                    r.kind().wording().amount(r, read),
                    counted(r.workers(), "worker")
                        + (processes.size() > 1
                            ? " in each of %s processes".formatted(processes.size())
                            : ""),
                    run.folder()));
    var lastSave = new LastSave();
    boolean writes = processes.rank() == 0;
    try (var interruption = new Interruption(() -> !writes || lastAttempt(run, lastSave))) {
      RunTraining.Result result;
      try (var display = new ProgressDisplay(r.model(), output.err())) {
        result =
            RunTraining.train(
                run,
                read,
                execution.decoders(),
                display.training(r.kind().wording()),
                interruption::requested,
                lastSave,
                processes);
      }
      if (!result.finished()) {
        return stopped(run, result, interruption.code());
      }
      if (writes) {
        tellOfExchanging(result);
        RunReport.of(run).write(run.report());
      }
      answer(run, result);
      return Exit.DONE;
    }
  }

  /// Says what the figures of the epochs are of, where that is not plain.
  private void tellOfFigures(Recipe recipe) {
    if (!recipe.preprocessing().variation().mixing().isNone()) {
      output.remark(
          "fathom: images are mixed: a training error is one against the label with the larger share");
    }
    if (recipe.optimization().ema() > 0) {
      output.remark("fathom: a moving average of the weights is evaluated and saved");
    }
  }

  /// Says how much of the time went into sums over the processes.
  private void tellOfExchanging(RunTraining.Result result) {
    if (processes.size() > 1) {
      output.remark(
          String.format(
              Locale.ROOT,
              "fathom: %.1f of %.1f s went into sums over the processes, waiting for them included",
              processes.exchanging().toMillis() / 1e3,
              result.seconds()));
    }
  }

  /// Ends a training that was stopped. It writes no report and measures nothing, because a user who
  /// stops a training does not wait.
  private int stopped(Run run, RunTraining.Result result, int code) {
    boolean saved = Files.exists(run.checkpoint());
    answer(run, result);
    output.lastWord(
        saved
            ? "interrupted and saved; go on with: " + goOn(run)
            : "interrupted before the first step: nothing was saved, start it anew");
    return saved ? code : Exit.FAILED;
  }

  private static String goOn(Run run) {
    return "fathom train --resume " + run.folder();
  }

  /// Saves what can be saved and says so, even with `--quiet`, because it is the last message of
  /// the run. Returns whether every step is saved.
  private static boolean lastAttempt(Run run, LastSave lastSave) {
    LastSave.Saved saved = lastSave.save();
    String at = "step %s is saved in %s".formatted(saved.step(), run.folder());
    System.err.println(
        saved.step() == 0
            ? "stopped before the first checkpoint: nothing is saved, start it anew"
            : saved.lost() == 0
                ? "stopped in the middle of something long: %s; go on with: %s"
                    .formatted(at, goOn(run))
                : "stopped: %s, but %s after it could not be saved; go on with: %s"
                    .formatted(at, counted(Math.toIntExact(saved.lost()), "step"), goOn(run)));
    return saved.step() > 0 && saved.lost() == 0;
  }

  private static String counted(int count, String what) {
    return "%s %s%s".formatted(count, what, count == 1 ? "" : "s");
  }

  private void answer(Run run, RunTraining.Result result) {
    Recipe r = run.recipe();
    var answer = new LinkedHashMap<String, @Nullable Object>();
    answer.put("model", r.model());
    answer.put("data", r.data());
    answer.put("recipe", r.published().toString());
    answer.put("differences", PublishedRecipe.differences(run));
    answer.putAll(
        r.kind().wording().answer(result.test(), result.train(), result.examplesPerSecond()));
    answer.put("epochs", r.epochs());
    answer.put("seconds", result.seconds());
    answer.put("finished", result.finished());
    answer.put("step", result.step());
    answer.put("steps", result.steps());
    answer.put("earlyStop", run.earlyStop().orElse(null));
    answer.put("run", run.folder().toString());
    answer.put("report", result.finished() ? run.report().toString() : null);
    output.answer(
        answer,
        () -> {
          output.out().println(sentence(run, result));
          run.earlyStop()
              .ifPresent(
                  stop -> output.out().println(RunReport.stopped(r, stop) + "; --best takes them"));
          if (result.finished()) {
            output.out().println("report: " + run.report());
          }
        });
  }

  private static String sentence(Run run, RunTraining.Result result) {
    Figures test = result.test();
    Figures train = result.train();
    Recipe r = run.recipe();
    if (test == null || train == null) {
      return "%s on %s: interrupted at step %s of %s, in %s; %s has what was learned so far, and there is no result yet"
          .formatted(
              r.model(),
              r.data(),
              result.step(),
              result.steps(),
              epoch(r, result),
              run.checkpoint().getFileName());
    }
    return String.format(
        Locale.ROOT,
        "%s on %s: %s; %.0f s",
        r.model(),
        r.data(),
        r.kind().wording().result(test, train),
        result.seconds());
  }

  /// Returns the epoch that a training is in, or that it has just finished.
  private static String epoch(Recipe r, RunTraining.Result result) {
    long perEpoch = result.steps() / r.epochs();
    return "epoch %s of %s".formatted(Math.ceilDiv(result.step(), perEpoch), r.epochs());
  }

  /// Returns runs/MODEL-DATA-N with the smallest N from 1 that is free.
  static Path freeFolder(String model, String data) {
    Path last = Path.of(data.substring(Data.prefix(data).length())).getFileName();
    String name = model + (last == null ? "" : "-" + last.toString().replaceFirst("\\.txt$", ""));
    for (int i = 1; ; i++) {
      Path folder = Path.of("runs", name + "-" + i);
      if (!Files.exists(folder)) {
        return folder;
      }
    }
  }
}
