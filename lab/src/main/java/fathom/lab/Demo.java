package fathom.lab;

import fathom.data.DataSet;
import fathom.net.CifarNet;
import fathom.net.Shortcut;
import fathom.report.Chart;
import fathom.report.Curve;
import fathom.report.Facts;
import fathom.report.Page;
import fathom.report.Scale;
import fathom.report.Section;
import fathom.report.Table;
import fathom.report.Text;
import fathom.report.run.RunReport;
import fathom.run.Progress;
import fathom.run.Recipe;
import fathom.run.Run;
import fathom.run.RunTraining;
import fathom.train.Metrics;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.function.BooleanSupplier;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/// The demonstration of the residual paper's main claim (He et al. 2016, section 4.2 and figure 6)
/// on embedded images: the deep plain net does not fit even its training images, although the
/// shallow one does; a net of the same depth and the same parameters with shortcuts does fit them.
///
/// It trains four nets (plain and residual, of depths 20 and 56) with three seeds each on the
/// embedded digits. The nets are trained side by side with one worker each, because nets this small
/// do not keep two cores busy. The demonstration does not show why the deep plain net fails, nor
/// that depth pays on images this small; [Findings#meaning()] says so too.
public final class Demo {
  private static final List<Integer> DEPTHS = List.of(20, 56);
  private static final List<Long> SEEDS = List.of(1L, 2L, 3L);
  private static final int EPOCHS = 24;

  /// The paper's learning rate, 0.1 for batches of 128, in proportion to batches of 64. With 0.1
  /// one of three deep residual nets was far from fitting on some processors, and which one a
  /// rounding decided.
  private static final double LEARNING_RATE = 0.05;

  /// The bounds of the verdict: a net fits with a mean training error of at most [#FITS] percent,
  /// and the deep plain net fails if it is at least [#WORSE] points above the deep residual net.
  private static final double FITS = 2;

  private static final double WORSE = 20;

  private Demo() {}

  /// The results of the nets of one kind and depth over all seeds.
  ///
  /// @param kind `plain` or `residual`
  /// @param depth the number of layers
  /// @param seeds the seeds of the nets
  /// @param trainError the mean error over all training images without augmentation, in percent
  /// @param testError the mean error over all test images, in percent
  /// @param trainErrorSpread the largest minus the smallest training error, in points
  /// @param testErrorSpread the largest minus the smallest test error, in points
  /// @param seconds the mean time of a training
  public record Row(
      String kind,
      int depth,
      List<Long> seeds,
      double trainError,
      double testError,
      double trainErrorSpread,
      double testErrorSpread,
      double seconds) {}

  /// The results of the demonstration.
  ///
  /// @param rows a row for each kind and depth
  /// @param reproduced whether the numbers show the claim
  /// @param meaning what the numbers show and do not show, in sentences
  /// @param report the file of the report
  public record Findings(List<Row> rows, boolean reproduced, String meaning, Path report) {}

  /// Receives the progress of all trainings. Several threads call it.
  public interface Watcher {
    /// Is called after a step of one of the nets; `steps` is the number of steps of all nets
    /// together.
    void step(long steps, Progress.StepEnd step);

    /// Is called when a net is trained.
    void trained(String net, long seed, RunTraining.Result result);
  }

  private record Trained(CifarNet net, long seed, Run run, RunTraining.Result result) {}

  /// Trains the nets, and writes the runs and the report below `folder`. Returns null if `stop`
  /// asked to stop.
  public static @Nullable Findings run(Path folder, Watcher watcher, BooleanSupplier stop) {
    DataSet data = DataSet.open("digits");
    var jobs = new ArrayList<Callable<Trained>>();
    for (int depth : DEPTHS.reversed()) { // the long trainings come first
      for (String kind : List.of("plain", "resnet")) {
        for (long seed : SEEDS) {
          jobs.add(() -> train(kind + depth, seed, data, folder, watcher, stop));
        }
      }
    }
    List<Trained> trained = inParallel(jobs);
    if (trained.stream().anyMatch(t -> !t.result.finished())) {
      return null;
    }
    List<Row> rows = rows(trained);
    Path report = folder.resolve("report.html");
    boolean reproduced = reproduced(rows);
    String meaning = meaning(rows, reproduced);
    page(trained, rows, reproduced, meaning).write(report);
    return new Findings(rows, reproduced, meaning, report);
  }

  private static Trained train(
      String model, long seed, DataSet data, Path folder, Watcher watcher, BooleanSupplier stop) {
    CifarNet net = CifarNet.named(model);
    Recipe recipe =
        Recipe.usual(net, data, seed, 1)
            .withEpochs(EPOCHS)
            .optimized(usual -> usual.withRate(LEARNING_RATE));
    Run run = Run.create(folder.resolve("%s-seed%s".formatted(model, seed)), recipe, data);
    var progress =
        new Progress() {
          @Override
          public void step(StepEnd step) {
            watcher.step(step.steps() * DEPTHS.size() * 2 * SEEDS.size(), step);
          }
        };
    RunTraining.Result result = RunTraining.train(run, data, progress, stop);
    watcher.trained(model, seed, result);
    return new Trained(net, seed, run, result);
  }

  private static List<Trained> inParallel(List<Callable<Trained>> jobs) {
    try (var pool = Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors())) {
      var results = new ArrayList<Trained>();
      for (var future : pool.invokeAll(jobs)) {
        results.add(future.get());
      }
      return results;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw new IllegalStateException("a training failed: " + e.getCause(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("the demo was interrupted", e);
    }
  }

  private static String kind(CifarNet net) {
    return net.shortcut() == Shortcut.NONE ? "plain" : "residual";
  }

  private static List<Row> rows(List<Trained> trained) {
    var rows = new ArrayList<Row>();
    for (int depth : DEPTHS) {
      for (String kind : List.of("plain", "residual")) {
        var of =
            trained.stream()
                .filter(t -> t.net.depth() == depth && kind(t.net).equals(kind))
                .toList();
        rows.add(
            new Row(
                kind,
                depth,
                SEEDS,
                mean(of, Demo::trainError),
                mean(of, t -> t.result.tested().error()),
                spread(of, Demo::trainError),
                spread(of, t -> t.result.tested().error()),
                mean(of, t -> t.result.seconds())));
      }
    }
    return rows;
  }

  private static double trainError(Trained trained) {
    return trained.result.trained().error();
  }

  private static double mean(List<Trained> of, ToDoubleFunction<Trained> number) {
    return of.stream().mapToDouble(number).average().orElse(Double.NaN);
  }

  private static double spread(List<Trained> of, ToDoubleFunction<Trained> number) {
    var statistics = of.stream().mapToDouble(number).summaryStatistics();
    return statistics.getMax() - statistics.getMin();
  }

  private static Row row(List<Row> rows, String kind, int depth) {
    return rows.stream()
        .filter(r -> r.kind.equals(kind) && r.depth == depth)
        .findFirst()
        .orElseThrow();
  }

  private static boolean reproduced(List<Row> rows) {
    double deepResidual = row(rows, "residual", DEPTHS.getLast()).trainError;
    return row(rows, "plain", DEPTHS.getFirst()).trainError <= FITS
        && deepResidual <= FITS
        && row(rows, "plain", DEPTHS.getLast()).trainError >= deepResidual + WORSE;
  }

  private static String meaning(List<Row> rows, boolean reproduced) {
    Row shallow = row(rows, "plain", DEPTHS.getFirst());
    Row deep = row(rows, "plain", DEPTHS.getLast());
    Row shallowResidual = row(rows, "residual", DEPTHS.getFirst());
    Row residual = row(rows, "residual", DEPTHS.getLast());
    String numbers =
        "The plain net of %s layers gets %s of its own training images wrong, the one of %s layers %s. With shortcuts, which add no parameters, the net of %s layers gets %s wrong."
            .formatted(
                shallow.depth,
                percent(shallow.trainError),
                deep.depth,
                percent(deep.trainError),
                residual.depth,
                percent(residual.trainError));
    String shown =
        reproduced
            ? "The deep plain net could copy the shallow one and leave its other layers idle, so it"
                + " is not too small, and since it fails on the images it is trained with, it"
                + " does not over-fit: it cannot be trained by these steps, and the shortcut is"
                + " what changes that."
            : "In this run the numbers do not show the paper's claim, which needs the shallow plain net and the deep residual net at no more than %s %% and the deep plain net at least %s points worse."
                .formatted(Math.round(FITS), Math.round(WORSE));
    String notShown =
        "This does not show why. Nor does it show that depth pays on these small images: the residual nets of %s and %s layers get %s and %s of the test images wrong. It is one recipe with %s seeds."
            .formatted(
                shallowResidual.depth,
                residual.depth,
                percent(shallowResidual.testError),
                percent(residual.testError),
                SEEDS.size());
    return numbers + " " + shown + " " + notShown;
  }

  private static String percent(double value) {
    return String.format(Locale.ROOT, "%.1f %%", value);
  }

  private static Page page(
      List<Trained> trained, List<Row> rows, boolean reproduced, String meaning) {
    var byDepth =
        trained.stream()
            .sorted(
                Comparator.comparingInt((Trained t) -> t.net.depth())
                    .thenComparing(t -> kind(t.net))
                    .thenComparingLong(Trained::seed))
            .toList();
    return new Page(
        "Which nets can be deep?",
        reproduced
            ? "Plain and residual nets of two depths, on 1437 handwritten digits: the deep plain"
                + " net does not fit the images it is trained with; the deep residual net does."
            : "Plain and residual nets of two depths, on 1437 handwritten digits. This run did not"
                + " reproduce the paper's claim.",
        List.of(
            new Section("Result", table(rows), new Text(meaning)),
            new Section(
                "Learning",
                curves(byDepth, "Training error", "error in %", Scale.LINEAR, e -> e.trainError()),
                curves(
                    byDepth,
                    "Training loss",
                    "cross-entropy in nats",
                    Scale.LOG,
                    e -> e.trainLoss()),
                curves(byDepth, "Test error", "error in %", Scale.LINEAR, e -> e.testError())),
            new Section("Layers of the deep nets", layers(byDepth)),
            new Section("What was run", new Facts(facts(byDepth.getFirst())))));
  }

  private static Table table(List<Row> rows) {
    return new Table(
        "Means over %s seeds; the spread is the largest less the smallest".formatted(SEEDS.size()),
        List.of(
            "net", "train error in %", "its spread", "test error in %", "its spread", "seconds"),
        rows.stream()
            .map(r ->
                List.of(
                    r.kind + "-" + r.depth,
                    RunReport.number(r.trainError, 1),
                    RunReport.number(r.trainErrorSpread, 1),
                    RunReport.number(r.testError, 1),
                    RunReport.number(r.testErrorSpread, 1),
                    RunReport.number(r.seconds, 0)))
            .toList());
  }

  private static Chart curves(
      List<Trained> trained,
      String title,
      String unit,
      Scale scale,
      ToDoubleFunction<Metrics.Epoch> y) {
    return new Chart(
        title,
        "",
        "epoch",
        unit,
        scale,
        trained.stream()
            .map(t ->
                RunReport.curve(
                    kind(t.net) + "-" + t.net.depth(),
                    "seed " + t.seed,
                    RunReport.all(t.run.metrics(), Metrics.Epoch.class),
                    y))
            .toList());
  }

  /// Returns the charts of the layers of the deep nets at start and end, for the first seed.
  private static Chart[] layers(List<Trained> trained) {
    var gradients = new ArrayList<Curve>();
    var responses = new ArrayList<Curve>();
    for (Trained t : trained) {
      if (t.net.depth() == DEPTHS.getLast() && t.seed == SEEDS.getFirst()) {
        String group = kind(t.net) + "-" + t.net.depth();
        for (var layers : RunReport.all(t.run.metrics(), Metrics.Layers.class)) {
          String when = layers.step() == 0 ? "start" : "end";
          gradients.add(RunReport.layerCurve(group, when, layers.gradients()));
          responses.add(RunReport.layerCurve(group, when, layers.responses()));
        }
      }
    }
    return new Chart[] {
      new Chart(
          "Norm of the gradient of each layer's weights",
          "Over one batch of training images, for seed %s. A layer is a convolution or the dense layer."
              .formatted(SEEDS.getFirst()),
          "layer, from the input on",
          "‖dE/dW‖",
          Scale.LOG,
          gradients),
      new Chart(
          "Standard deviation of each layer's response",
          "The standard deviation of the output of the norm behind each convolution, before the rectifier and the addition,"
              + " as in the paper's figure 7. At the start every one is 1.",
          "layer, from the input on",
          "standard deviation",
          Scale.LOG,
          responses)
    };
  }

  private static SequencedMap<String, String> facts(Trained one) {
    var facts = new LinkedHashMap<String, String>(RunReport.facts(one.run));
    facts.put("model", "resnetN (shortcut A) and plainN, N = 20 and 56, width 16, batch norm");
    facts.put(
        "data", "digits: 1437 training and 360 test images of 8×8, nearly all by other writers");
    facts.put("seed", SEEDS.toString());
    facts.put("workers", "1 for each net, nets side by side");
    return facts;
  }
}
