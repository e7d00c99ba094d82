package fathom.cli;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import fathom.BadFileException;
import fathom.Node;
import fathom.Scope;
import fathom.data.Data;
import fathom.data.DataSet;
import fathom.data.Decoders;
import fathom.data.Photos;
import fathom.data.Text;
import fathom.net.Architecture;
import fathom.net.CifarNet;
import fathom.nn.Init;
import fathom.parallel.Workers;
import fathom.report.run.RunReport;
import fathom.run.Descent;
import fathom.run.Recipe;
import fathom.run.Rehearsal;
import fathom.run.Run;
import fathom.run.RunData;
import fathom.run.RunTraining;
import fathom.task.Evaluation;
import fathom.train.LastSave;
import fathom.train.Metrics;
import fathom.train.Precision;
import fathom.train.Recording;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;
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
      "  fathom train plain56 --data digits --epochs 30 --lr 0.05 --seed 2",
      "  fathom train resnet20 --data /data/cifar-10-batches-bin --recipe paper",
      "  fathom train resnet56 --data cifar10 --precision bf16",
      "  fathom train resnet1202 --data /data/cifar-10-batches-bin --recompute auto",
      "  fathom train resnet50 --data images:photos",
      "  fathom train resnet18 --data images:photos --size 128 --strict",
      "  fathom train mlp --data mnist --optimizer adam --lr 0.001",
      "  fathom train resnet20 --data cifar10 --optimizer adamw --schedule one-cycle"
          + " --label-smoothing 0.1",
      "  fathom train resnet20 --data cifar10 --val 5000 --watch gradients,responses,updates",
      "  fathom train ln-lstm --data text:book.txt --hidden 512 --window 50",
      "  fathom train --resume runs/resnet20-digits-1 --epochs 40",
      "  fathom train --resume runs/resnet50-photos-1 --data images:moved/photos"
    })
final class TrainCommand implements Callable<Integer> {
  /// The recipes that have a name.
  enum Name {
    PAPER,
    FAST
  }

  @Mixin private final Output output = new Output();

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
      description = {
        "digits, images:DIR, a folder with MNIST's or CIFAR-10's files, or mnist, cifar10 and the"
            + " like",
        "for such a folder below $FATHOM_DATA; text:FILE for a net that learns text."
      })
  private @Nullable String data;

  @Option(
      names = "--size",
      paramLabel = "N",
      description = {
        "Of a folder of pictures: decodes them to N×N from their files each time they are used, in",
        "training a random part of each. Default: 224 for the nets for photographs (resnet18, 34,"
            + " 50, ...);",
        "for others the size that all pictures have, or else 32, in memory."
      })
  private @Nullable Integer size;

  @Mixin private final ReadingOptions reading = new ReadingOptions();

  @OnResume
  @Option(
      names = "--decoders",
      paramLabel = "N",
      description = {
        "Threads that decode pictures ahead, where they stay in their files. It changes no weight.",
        "Default: one per core."
      })
  private @Nullable Integer decoders;

  @Option(
      names = "--recipe",
      paramLabel = "paper|fast",
      description = "The residual paper's 64,000 steps, or few epochs. Default: fast.")
  private Name recipe = Name.FAST;

  @OnResume
  @Option(names = "--epochs", paramLabel = "N", description = "How often to see all of the data.")
  private @Nullable Integer epochs;

  @Option(
      names = "--batch",
      paramLabel = "N",
      description = {
        "Images in a batch, or streams of a text, of all workers. Default: 128, 64 for fewer than"
            + " 10,000",
        "images, 32 for photos and texts, and less where the data has less."
      })
  private @Nullable Integer batch;

  @Option(
      names = "--window",
      paramLabel = "T",
      description = "Characters of every stream in a step. Default: 100, or all of a shorter text.")
  private @Nullable Integer window;

  @Option(
      names = "--optimizer",
      paramLabel = "sgd|adam|adamw",
      description = "Default: sgd for resnetN and plainN, otherwise adam.")
  private Descent.@Nullable Method optimizer;

  @Option(
      names = "--lr",
      paramLabel = "R",
      description = "The learning rate. Default: what suits model and optimizer; see --dry-run.")
  private @Nullable Double rate;

  @Option(
      names = "--clip",
      paramLabel = "C",
      description = "The largest norm of all gradients; 0 for any. Default: 1 for recurrent nets.")
  private @Nullable Double clip;

  @Option(
      names = "--weight-decay",
      paramLabel = "L",
      description = "Of SGD (default: 0.0001) and AdamW, there decoupled (default: 0.01).")
  private @Nullable Double weightDecay;

  @Option(
      names = "--schedule",
      paramLabel = "steps|cosine|one-cycle",
      description = {
        "How the rate goes: divided by ten at points of the recipe, down to 0 along half a cosine"
            + " wave, or",
        "up over 30 %% of the steps and then down. Default: steps."
      })
  private Descent.@Nullable Curve curve;

  @Option(
      names = "--label-smoothing",
      paramLabel = "E",
      description = "So much of every label is given to all classes alike. Default: 0.")
  private @Nullable Double smoothing;

  @Option(
      names = "--val",
      paramLabel = "N",
      description = {
        "Keeps N training pictures, drawn by the seed, from training: epochs are judged by them,"
            + " and the",
        "best one too; the test pictures are seen at the end alone. Default: the pictures of a"
            + " folder val",
        "beside train and test, or 0."
      })
  private @Nullable Integer validation;

  @Option(
      names = "--watch",
      paramLabel = "WHAT",
      split = ",",
      description = {
        "gradients, responses, updates: measures each layer at the end of every epoch, for the heat"
            + " maps",
        "of the report. Any of the three, between commas."
      })
  private @Nullable List<Recording.Quantity> watch;

  @Option(
      names = "--tensorboard",
      description = "Writes curves, histograms and pictures for TensorBoard into RUN/tensorboard.")
  private boolean tensorboard;

  @OnResume
  @Option(names = "--workers", paramLabel = "N", description = "Threads. Default: one per core.")
  private @Nullable Integer workers;

  @Option(
      names = "--shard-statistics",
      description = "Batch norm's statistics per worker, as on the paper's two GPUs.")
  private boolean shardStatistics;

  @OnResume
  @Option(
      names = "--recompute",
      paramLabel = "K|auto",
      description = {
        "For resnetN and plainN: remember only what goes into every K-th block of a stage, and"
            + " compute",
        "the blocks again on the way back: less memory, one forward more a step, the same result"
            + " to",
        "the bit. auto: half the root of the number of blocks. Default: 0, remember all."
      })
  private @Nullable String recompute;

  @Option(
      names = "--precision",
      paramLabel = "fp32|bf16",
      description = {
        "Of the values between layers. bf16, for resnetN and plainN: half of the memory, and faster"
            + " on",
        "processors that have it; weights, sums and evaluations stay in fp32. Default: fp32."
      })
  private @Nullable Precision precision;

  @Option(names = "--seed", paramLabel = "N", description = "Decides every draw. Default: 1.")
  private long seed = 1;

  @Option(
      names = "--out",
      paramLabel = "RUN",
      description = "The run's folder. Default: below runs/.")
  private @Nullable Path out;

  @OnResume
  @Option(
      names = "--resume",
      paramLabel = "RUN",
      description = {
        "Go on with a run, by its own recipe; only --epochs, --workers and --recompute change"
            + " that.",
        "--data says where its data is now."
      })
  private @Nullable Path resume;

  @OnResume
  @Option(
      names = "--data-changed",
      description = {
        "With --resume: goes on although images or characters are others than before, if the"
            + " classes",
        "are the same. The result is no longer that of one training; the run says so."
      })
  private boolean dataChanged;

  @Option(
      names = "--dry-run",
      description = {
        "Only print the resolved recipe, and what memory and time it needs: a few steps are made,"
            + " and",
        "carried on to the whole training; also whether it fits into the memory that there is."
            + " Takes a",
        "few seconds."
      })
  private boolean dryRun;

  /// What `--json` prints of `--dry-run`: the fields of the recipe, and the estimate.
  record DryRun(@JsonUnwrapped Recipe recipe, Rehearsal.Estimate estimate) {}

  /// What `--json` prints of pictures. What a training has at its end alone is null before.
  ///
  /// @param step the steps that were made and saved, of `steps`
  record Answer(
      String model,
      String data,
      Metrics.Split measuredOn,
      @Nullable Integer count,
      @Nullable Double error,
      @Nullable Double crossEntropy,
      double imagesPerSecond,
      @Nullable Double trainError,
      int epochs,
      double seconds,
      boolean finished,
      long step,
      long steps,
      String run,
      @Nullable String report) {}

  /// What `--json` prints of text, likewise.
  record TextAnswer(
      String model,
      String data,
      @Nullable Integer count,
      @Nullable Double bitsPerCharacter,
      @Nullable Double perplexity,
      @Nullable Double crossEntropy,
      @Nullable Double error,
      double charactersPerSecond,
      @Nullable Double trainBitsPerCharacter,
      int epochs,
      double seconds,
      boolean finished,
      long step,
      long steps,
      String run,
      @Nullable String report) {}

  @Override
  public Integer call() {
    if (resume != null) {
      return resume(resume);
    }
    if (dataChanged) {
      throw output.refused("--data-changed is for --resume; leave it out");
    }
    output.usage(() -> Decoders.check(decoders()));
    String dataName = output.required(data, "--data");
    String modelName = output.required(model, "MODEL");
    Architecture net = output.usage(() -> architecture(modelName, dataName));
    Data read = output.usage(() -> read(net, dataName));
    Recipe resolved = output.usage(() -> recipe(net, read));
    output.usage(() -> built(resolved, read));
    if (dryRun) {
      dryRun(resolved, read);
      return Exit.DONE;
    }
    resolved.precision().check();
    Path folder = out != null ? out : freeFolder(resolved.model(), dataName);
    return train(Run.create(folder, resolved, read), read);
  }

  private Data read(Architecture net, String dataName) {
    Integer given = size;
    Data read = Data.open(dataName, reading.of(given == null ? Recipe.usualSize(net) : given));
    boolean photographs = read instanceof DataSet pictures && pictures.train() instanceof Photos;
    if (given != null && given > 0 && !photographs) {
      throw new IllegalArgumentException(
          "--size is for a folder of pictures, but %s is none; leave it out".formatted(dataName));
    }
    return read;
  }

  private Architecture architecture(String name, String dataName) {
    return Data.isText(dataName)
        ? Architecture.text(name, modelOptions.options())
        : Architecture.pictures(name, modelOptions.options());
  }

  /// Builds the net once, because only that shows whether its options fit together and to the data;
  /// returns the number of its parameters.
  private static long built(Recipe recipe, Data read) {
    try (var _ = Scope.open()) {
      Node net =
          switch (recipe.architecture()) {
            case Architecture.OfPictures of when read instanceof DataSet pictures -> {
              var train = pictures.train();
              yield of.on(
                      new CifarNet.Input(train.channels(), train.height(), train.width()),
                      pictures.classes().size())
                  .build(Init.zeros());
            }
            case Architecture.OfText of when read instanceof Text text ->
                of.withVocabulary(text.alphabet().characters().size())
                    .withWindow(recipe.window())
                    .build(Init.zeros());
            default ->
                throw new IllegalArgumentException(
                    "%s does not learn %s".formatted(recipe.model(), read.name()));
          };
      return net.params().stream().mapToLong(param -> param.value().shape().elements()).sum();
    }
  }

  private void dryRun(Recipe resolved, Data read) {
    Rehearsal.Estimate estimate = Rehearsal.of(resolved, read);
    output.answer(
        new DryRun(resolved, estimate),
        () -> {
          RunReport.recipe(resolved)
              .forEach((what, how) -> output.out().println("%-8s %s".formatted(what, how)));
          estimate(resolved, estimate)
              .forEach((what, how) -> output.out().println("%-8s %s".formatted(what, how)));
        });
  }

  private static SequencedMap<String, String> estimate(Recipe recipe, Rehearsal.Estimate e) {
    String rows = recipe.isText() ? "streams" : "pictures";
    var lines = new LinkedHashMap<String, String>();
    lines.put(
        "weights",
        String.format(
            Locale.ROOT,
            "%,d parameters; %,.1f MB with gradients and optimizer",
            e.parameters(),
            e.weightBytes() / 1e6));
    lines.put(
        "batch",
        String.format(
            Locale.ROOT,
            "%,.1f MB more on its way through the net, estimated from %d of its %d %s",
            e.batchBytes() / 1e6,
            e.tried(),
            recipe.batch(),
            rows));
    lines.put(
        "memory",
        String.format(
            Locale.ROOT,
            e.fits()
                ? "fits: %,.1f MB of the %,.1f MB that tensors can have here"
                : "does not fit: %,.1f MB, but tensors can have %,.1f MB here; make the net"
                    + " smaller, or the batch, or remember less of it (--recompute auto)",
            (e.weightBytes() + e.batchBytes()) / 1e6,
            e.availableBytes() / 1e6));
    lines.put(
        "time",
        String.format(
            Locale.ROOT,
            "about %s (h:mm:ss) for %,d steps and the evaluations, at %s %s/s, estimated from a few"
                + " steps of up to %d %s made just now",
            duration(e.seconds()),
            e.steps(),
            rate(e.examplesPerSecond()),
            recipe.isText() ? "characters" : "images",
            e.tried(),
            rows));
    return lines;
  }

  private static String rate(double perSecond) {
    return String.format(Locale.ROOT, perSecond < 10 ? "%.2f" : "%,.0f", perSecond);
  }

  /// Hours, minutes and seconds: `0:01:30`.
  private static String duration(double seconds) {
    long whole = Math.round(seconds);
    return String.format(Locale.ROOT, "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60);
  }

  private Recipe recipe(Architecture net, Data read) {
    int threads = workers == null ? Runtime.getRuntime().availableProcessors() : workers;
    Workers.check(threads);
    Recipe base =
        switch (recipe) {
          case PAPER -> Recipe.paper(net, read, seed, threads);
          case FAST -> Recipe.fast(net, read, seed, threads);
        };
    Recipe resolved = base.withShardStatistics(shardStatistics);
    resolved = epochs == null ? resolved : resolved.withEpochs(epochs);
    resolved = batch == null ? resolved : resolved.withBatch(batch);
    resolved = window == null ? resolved : resolved.withWindow(window);
    resolved = optimizer == null ? resolved : resolved.withOptimizer(optimizer);
    resolved = rate == null ? resolved : resolved.withRate(rate);
    resolved = clip == null ? resolved : resolved.withClip(clip);
    resolved = weightDecay == null ? resolved : resolved.withWeightDecay(weightDecay);
    resolved = curve == null ? resolved : resolved.withCurve(curve);
    resolved = smoothing == null ? resolved : resolved.withSmoothing(smoothing);
    resolved = validation == null ? resolved : resolved.withValidation(validation);
    resolved =
        resolved.withRecording(new Recording(watch == null ? List.of() : watch, tensorboard));
    resolved = precision == null ? resolved : resolved.withPrecision(precision);
    resolved = recomputing(resolved);
    resolved = fitting(resolved, read);
    resolved.check(read);
    return resolved;
  }

  /// With smaller batches and windows than usual where the data has less, unless they were given.
  private Recipe fitting(Recipe usual, Data read) {
    Recipe fits = batch == null ? usual.withBatchFor(read) : usual;
    if (read instanceof Text text) {
      fits = window == null ? fits.withWindowFor(text) : fits;
      if (!fits.equals(usual)) {
        output.remark(
            "fathom: there are %s characters to train with: %s in windows of %s, not %s in windows of %s"
                .formatted(
                    text.train().length,
                    counted(fits.batch(), "stream"),
                    fits.window(),
                    usual.batch(),
                    usual.window()));
      }
    } else if (read instanceof DataSet pictures && !fits.equals(usual)) {
      int trained = pictures.judgedBy(usual.validation(), seed).train().count();
      output.remark(
          "fathom: there are %s images to train with: batches of %s, not %s%s"
              .formatted(
                  trained,
                  fits.batch(),
                  usual.batch(),
                  fits.batch() < trained ? ", so that batch norm has no image alone" : ""));
    }
    return fits;
  }

  private Recipe recomputing(Recipe recipe) {
    return recompute == null
        ? recipe
        : recipe.withRecompute(RecomputeOption.blocks(recompute, recipe.architecture()));
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
    output.usage(() -> Decoders.check(decoders()));
    Run run = Run.open(folder);
    if (!Files.exists(run.checkpoint())) {
      throw new BadFileException(
          folder, "the run was stopped before its first checkpoint; start it anew");
    }
    Recipe before = run.recipe();
    int length = epochs == null ? before.epochs() : epochs;
    int threads = workers == null ? before.workers() : workers;
    Recipe now =
        output.usage(() -> {
          Workers.check(threads);
          return recomputing(before.withEpochs(length).withWorkers(threads));
        });
    if (threads != before.workers()) {
      output
          .err()
          .println(
              "fathom: the run had %s workers and goes on with %s: sums are rounded otherwise, so it is not bit-exact"
                  .formatted(before.workers(), threads));
    }
    String place = data;
    Data read =
        output.usage(
            () -> place == null ? run.open(reading.of(0)) : run.open(place, reading.of(0)));
    Run further = output.usage(() -> run.goOn(now, read, dataChanged));
    tellOfData(run, further);
    return train(further, read);
  }

  /// What is not as it was, or not known.
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
    if (read instanceof DataSet pictures) {
      ReadingOptions.tell(pictures, output);
    }
    output
        .err()
        .println(
            "%s on %s: %s of %s, %s, in %s"
                .formatted(
                    r.model(),
                    r.data(),
                    counted(r.epochs(), "epoch"),
                    amount(r, read),
                    counted(r.workers(), "worker"),
                    run.folder()));
    var lastSave = new LastSave();
    try (var interruption = new Interruption(() -> lastAttempt(run, lastSave))) {
      RunTraining.Result result;
      try (var display = new ProgressDisplay(r.model(), output.err())) {
        result =
            RunTraining.train(
                run,
                read,
                decoders(),
                display.training(r.isText()),
                interruption::requested,
                lastSave);
      }
      if (!result.finished()) {
        return stopped(run, result, interruption.code());
      }
      RunReport.of(run).write(run.report());
      answer(run, result);
      return Exit.DONE;
    }
  }

  private int decoders() {
    return decoders == null ? Runtime.getRuntime().availableProcessors() : decoders;
  }

  /// No report is written, and nothing is measured: who stops a training does not wait.
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

  /// Said whatever --quiet says, because it is the last word on the run.
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

  private static String amount(Recipe r, Data read) {
    return switch (read) {
      case DataSet pictures ->
          "%s pictures in batches of %s"
              .formatted(pictures.judgedBy(r.validation(), r.seed()).train().count(), r.batch());
      case Text text ->
          "%s characters as %s in windows of %s"
              .formatted(text.train().length, counted(r.batch(), "stream"), r.window());
    };
  }

  private void answer(Run run, RunTraining.Result result) {
    Object answer = run.recipe().isText() ? textAnswer(run, result) : pictureAnswer(run, result);
    output.answer(
        answer,
        () -> {
          output.out().println(sentence(run, result));
          if (result.finished()) {
            output.out().println("report: " + run.report());
          }
        });
  }

  private static Answer pictureAnswer(Run run, RunTraining.Result result) {
    Evaluation test = result.test();
    Evaluation train = result.train();
    return new Answer(
        run.recipe().model(),
        run.recipe().data(),
        Metrics.Split.TEST,
        test == null ? null : test.count(),
        test == null ? null : test.error(),
        test == null ? null : test.crossEntropy(),
        result.examplesPerSecond(),
        train == null ? null : train.error(),
        run.recipe().epochs(),
        result.seconds(),
        result.finished(),
        result.step(),
        result.steps(),
        run.folder().toString(),
        result.finished() ? run.report().toString() : null);
  }

  private static TextAnswer textAnswer(Run run, RunTraining.Result result) {
    Evaluation test = result.test();
    Evaluation train = result.train();
    return new TextAnswer(
        run.recipe().model(),
        run.recipe().data(),
        test == null ? null : test.count(),
        test == null ? null : test.bitsPerCharacter(),
        test == null ? null : test.perplexity(),
        test == null ? null : test.crossEntropy(),
        test == null ? null : test.error(),
        result.examplesPerSecond(),
        train == null ? null : train.bitsPerCharacter(),
        run.recipe().epochs(),
        result.seconds(),
        result.finished(),
        result.step(),
        result.steps(),
        run.folder().toString(),
        result.finished() ? run.report().toString() : null);
  }

  private static String sentence(Run run, RunTraining.Result result) {
    Evaluation test = result.test();
    Evaluation train = result.train();
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
    return r.isText()
        ? String.format(
            Locale.ROOT,
            "%s on %s: %.3f bits per held-out character, perplexity %.2f, error %.2f %% (%d of %d);"
                + " %.3f bits in training; %.0f s",
            r.model(),
            r.data(),
            test.bitsPerCharacter(),
            test.perplexity(),
            test.error(),
            test.errors(),
            test.count(),
            train.bitsPerCharacter(),
            result.seconds())
        : String.format(
            Locale.ROOT,
            "%s on %s: test error %.2f %% (%d of %d), cross-entropy %.4f; training error %.2f %%;"
                + " %.0f s",
            r.model(),
            r.data(),
            test.error(),
            test.errors(),
            test.count(),
            test.crossEntropy(),
            train.error(),
            result.seconds());
  }

  /// The epoch in which a training stands, or which it has just ended.
  private static String epoch(Recipe r, RunTraining.Result result) {
    long perEpoch = result.steps() / r.epochs();
    return "epoch %s of %s".formatted(Math.ceilDiv(result.step(), perEpoch), r.epochs());
  }

  /// runs/MODEL-DATA-1, or the next number that is free.
  static Path freeFolder(String model, String data) {
    Path last = Path.of(data.replaceFirst("^(images|text):", "")).getFileName();
    String name = model + (last == null ? "" : "-" + last.toString().replaceFirst("\\.txt$", ""));
    for (int i = 1; ; i++) {
      Path folder = Path.of("runs", name + "-" + i);
      if (!Files.exists(folder)) {
        return folder;
      }
    }
  }
}
