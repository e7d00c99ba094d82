package fathom.cli;

import fathom.BadFileException;
import fathom.data.DataSet;
import fathom.lab.RunReport;
import fathom.net.CifarNet;
import fathom.train.Evaluation;
import fathom.train.Recipe;
import fathom.train.Run;
import fathom.train.Trainer;
import java.nio.file.Files;
import java.nio.file.Path;
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
      "  fathom train plain56 --data digits --epochs 30 --lr 0.05 --seed 2",
      "  fathom train resnet20 --data /data/cifar-10-batches-bin --recipe paper",
      "  fathom train --resume runs/resnet20-digits-1 --epochs 40"
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

  @Option(
      names = "--data",
      paramLabel = "DATA",
      description = "digits, images:DIR, or a folder with MNIST's or CIFAR-10's files.")
  private @Nullable String data;

  @Option(
      names = "--recipe",
      paramLabel = "paper|fast",
      description = "The residual paper's 64,000 steps, or few epochs. Default: fast.")
  private Name recipe = Name.FAST;

  @Option(names = "--epochs", paramLabel = "N", description = "How often to see every picture.")
  private @Nullable Integer epochs;

  @Option(names = "--batch", paramLabel = "N", description = "Pictures in a batch, of all workers.")
  private @Nullable Integer batch;

  @Option(names = "--lr", paramLabel = "R", description = "The learning rate. Default: 0.1.")
  private @Nullable Double rate;

  @Option(names = "--workers", paramLabel = "N", description = "Threads. Default: one per core.")
  private @Nullable Integer workers;

  @Option(
      names = "--shard-statistics",
      description = "Batch norm's statistics per worker, as on the paper's two GPUs.")
  private boolean shardStatistics;

  @Option(names = "--seed", paramLabel = "N", description = "Decides every draw. Default: 1.")
  private long seed = 1;

  @Option(
      names = "--out",
      paramLabel = "RUN",
      description = "The run's folder. Default: below runs/.")
  private @Nullable Path out;

  @Option(names = "--resume", paramLabel = "RUN", description = "Go on with a run.")
  private @Nullable Path resume;

  @Option(names = "--dry-run", description = "Only print the resolved recipe.")
  private boolean dryRun;

  /// What `--json` prints.
  record Answer(
      String model,
      String data,
      int count,
      double error,
      double crossEntropy,
      double imagesPerSecond,
      @Nullable Double trainError,
      int epochs,
      double seconds,
      boolean finished,
      String run,
      String report) {}

  @Override
  public Integer call() {
    if (resume != null) {
      return resume(resume);
    }
    String dataName = output.required(data, "--data");
    String modelName = output.required(model, "MODEL");
    CifarNet named = output.usage(() -> modelOptions.apply(CifarNet.named(modelName)));
    DataSet dataSet = output.usage(() -> DataSet.open(dataName));
    Recipe resolved = output.usage(() -> recipe(named, dataSet));
    if (dryRun) {
      output.answer(resolved, () -> output.out().println(resolved));
      return Exit.DONE;
    }
    Path folder = out != null ? out : freeFolder(resolved.model(), dataName);
    return train(Run.create(folder, resolved, dataSet), dataSet);
  }

  private Recipe recipe(CifarNet net, DataSet dataSet) {
    int threads = workers == null ? Runtime.getRuntime().availableProcessors() : workers;
    Recipe base =
        switch (recipe) {
          case PAPER -> Recipe.paper(net, dataSet, seed, threads);
          case FAST -> Recipe.fast(net, dataSet, seed, threads);
        };
    Recipe resolved = base.withShardStatistics(shardStatistics);
    resolved = epochs == null ? resolved : resolved.withEpochs(epochs);
    resolved = batch == null ? resolved : resolved.withBatch(batch);
    resolved = rate == null ? resolved : resolved.withRate(rate);
    if (resolved.batch() > dataSet.train().count()) {
      throw new IllegalArgumentException(
          "--batch is at most the number of training pictures, %d, but is %d"
              .formatted(dataSet.train().count(), resolved.batch()));
    }
    return resolved;
  }

  private int resume(Path folder) {
    if (model != null || data != null || out != null) {
      throw output.refused(
          "--resume goes on with a run as it is: leave out MODEL, --data and --out");
    }
    Run run = Run.open(folder);
    if (!Files.exists(run.checkpoint())) {
      throw new BadFileException(
          folder, "the run was stopped before its first checkpoint; start it anew");
    }
    Recipe before = run.recipe();
    int length = epochs == null ? before.epochs() : epochs;
    int threads = workers == null ? before.workers() : workers;
    Recipe now = output.usage(() -> before.withEpochs(length).withWorkers(threads));
    if (threads != before.workers()) {
      output
          .err()
          .println(
              "fathom: the run had %d workers and goes on with %d: sums are rounded otherwise, so it is not bit-exact"
                  .formatted(before.workers(), threads));
    }
    DataSet dataSet = output.usage(() -> DataSet.open(before.data()));
    return train(now.equals(before) ? run : run.withRecipe(now), dataSet);
  }

  private int train(Run run, DataSet dataSet) {
    Recipe r = run.recipe();
    output
        .err()
        .println(
            "%s on %s: %d epochs of %d pictures in batches of %d, %d workers, in %s"
                .formatted(
                    r.model(),
                    r.data(),
                    r.epochs(),
                    dataSet.train().count(),
                    r.batch(),
                    r.workers(),
                    run.folder()));
    try (var interruption = new Interruption()) {
      Trainer.Result result;
      try (var display = new ProgressDisplay(r.model(), output.err())) {
        result = Trainer.train(run, dataSet, display.training(), interruption::requested);
      }
      RunReport.of(run).write(run.report());
      answer(run, result);
      if (!result.finished()) {
        output
            .err()
            .println("interrupted and saved; go on with: fathom train --resume " + run.folder());
        output.err().flush();
        return Exit.INTERRUPTED;
      }
      return Exit.DONE;
    }
  }

  private void answer(Run run, Trainer.Result result) {
    Evaluation test = result.test();
    Evaluation train = result.train();
    var answer =
        new Answer(
            run.recipe().model(),
            run.recipe().data(),
            test.count(),
            test.error(),
            test.crossEntropy(),
            result.imagesPerSecond(),
            train == null ? null : train.error(),
            run.recipe().epochs(),
            result.seconds(),
            result.finished(),
            run.folder().toString(),
            run.report().toString());
    output.answer(
        answer,
        () -> {
          output
              .out()
              .println(
                  String.format(
                      Locale.ROOT,
                      "%s on %s: test error %.2f %% (%d of %d), cross-entropy %.4f%s; %.0f s",
                      answer.model,
                      answer.data,
                      answer.error,
                      test.errors(),
                      answer.count,
                      answer.crossEntropy,
                      train == null
                          ? ""
                          : String.format(Locale.ROOT, "; training error %.2f %%", train.error()),
                      answer.seconds));
          output.out().println("report: " + run.report());
        });
  }

  /// runs/MODEL-DATA-1, or the next number that is free.
  static Path freeFolder(String model, String data) {
    Path last = Path.of(data.replaceFirst("^images:", "")).getFileName();
    String name = model + (last == null ? "" : "-" + last);
    for (int i = 1; ; i++) {
      Path folder = Path.of("runs", name + "-" + i);
      if (!Files.exists(folder)) {
        return folder;
      }
    }
  }
}
