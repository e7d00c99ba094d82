package fathom.report.run;

import fathom.optim.Plateau;
import fathom.report.Block;
import fathom.report.Chart;
import fathom.report.Curve;
import fathom.report.Facts;
import fathom.report.Gallery;
import fathom.report.Page;
import fathom.report.Point;
import fathom.report.Scale;
import fathom.report.Section;
import fathom.report.Table;
import fathom.report.Text;
import fathom.run.FineTuning;
import fathom.run.Measure;
import fathom.run.Optimization;
import fathom.run.PublishedRecipe;
import fathom.run.Recipe;
import fathom.run.Run;
import fathom.run.RunData;
import fathom.run.Wording;
import fathom.task.SectionsFile;
import fathom.train.EarlyStopping;
import fathom.train.Machine;
import fathom.train.Metrics;
import fathom.train.Precision;
import fathom.train.Tuning;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// Makes the page of one training run: its learning curves, its result, the confusions on the test
/// images, and its layers at start and end.
public final class RunReport {
  /// The digits of a fingerprint that are shown.
  private static final int DIGITS = 12;

  /// The most weights of classes that are shown one by one.
  private static final int WEIGHTS = 20;

  private RunReport() {}

  /// Returns the page for what the run has measured so far, for its usual place in the run's
  /// folder.
  public static Page of(Run run) {
    return of(run, run.report());
  }

  /// Returns the page for what the run has measured so far, for the file `page`, from which its
  /// links lead to the images' files.
  public static Page of(Run run, Path page) {
    Recipe recipe = run.recipe();
    List<Metrics> metrics = run.metrics();
    var epochs = all(metrics, Metrics.Epoch.class);
    var layers = all(metrics, Metrics.Layers.class);
    var results = all(metrics, Metrics.Final.class);
    var sections = new ArrayList<Section>();
    if (!results.isEmpty()) {
      sections.add(new Section("Result", result(recipe, epochs, results.getLast())));
    }
    sections.add(new Section("Learning", learning(recipe, epochs)));
    run.answers()
        .map(answers -> new TestedClasses(run.info().classes(), answers, page))
        .ifPresent(tested -> {
          sections.add(new Section("Classes", tested.classes()));
          sections.add(new Section("The worst mistakes", tested.mistakes()));
        });
    run.answers()
        .flatMap(ReliabilityDiagram::of)
        .ifPresent(diagram -> sections.add(new Section("Calibration", diagram.blocks())));
    SectionsFile.read(run.folder()).forEach(section -> sections.add(shown(section)));
    if (!layers.isEmpty()) {
      sections.add(new Section("Layers", layerCharts(recipe.model(), layers)));
    }
    var maps = WatchedLayers.maps(all(metrics, Metrics.Watch.class), epochs);
    if (!maps.isEmpty()) {
      sections.add(new Section("Layers over time", maps.toArray(new Block[0])));
    }
    if (recipe.published() != PublishedRecipe.NONE) {
      sections.add(new Section("The recipe", published(run)));
    }
    sections.add(new Section("What was run", new Facts(facts(run))));
    return new Page(
        "%s on %s".formatted(recipe.model(), recipe.data()),
        lead(recipe, epochs, results)
            + run.earlyStop().map(stop -> " It %s.".formatted(stopped(recipe, stop))).orElse(""),
        sections);
  }

  /// Returns where the run deviates from the source of its recipe.
  private static Table published(Run run) {
    PublishedRecipe by = run.recipe().published();
    List<PublishedRecipe.Difference> differences = PublishedRecipe.differences(run);
    return new Table(
        "%s: %s. %s"
            .formatted(
                by,
                by.source(),
                differences.isEmpty()
                    ? "This run does as it states."
                    : "This run does as it states but for the following."),
        List.of("", by.who() + " states", "this run has"),
        differences.stream()
            .map(each -> List.of(each.about(), each.stated(), each.here()))
            .toList());
  }

  /// Returns a section that the run's task has written.
  private static Section shown(fathom.task.Section of) {
    var blocks = new ArrayList<Block>();
    blocks.add(new Text(of.text()));
    if (!of.table().isEmpty()) {
      blocks.add(new Table("", of.table().getFirst(), of.table().subList(1, of.table().size())));
    }
    for (List<fathom.task.Section.Image> row : of.rows()) {
      blocks.add(
          new Gallery(
              row.stream()
                  .map(image ->
                      new Gallery.Image(image.png(), image.caption(), List.of(image.caption())))
                  .toList()));
    }
    return new Section(of.title(), blocks);
  }

  private static Chart[] learning(Recipe recipe, List<Metrics.Epoch> epochs) {
    Wording wording = recipe.kind().wording();
    return wording.measures().stream()
        .filter(Measure::charted)
        .map(measure ->
            new Chart(
                capital(measure.what()),
                wording.learning(recipe),
                "epoch",
                measure.unit(),
                measure.log() ? Scale.LOG : Scale.LINEAR,
                List.of(
                    curve("training", "", epochs, e -> measure.in(e.train())),
                    curve(wording.measuredOn(recipe), "", epochs, e -> measure.in(e.test())))))
        .toArray(Chart[]::new);
  }

  private static String lead(
      Recipe recipe, List<Metrics.Epoch> epochs, List<Metrics.Final> results) {
    if (!results.isEmpty()) {
      int made = epochs.isEmpty() ? recipe.epochs() : epochs.getLast().epoch();
      return recipe
          .kind()
          .wording()
          .lead(
              recipe.model(),
              results.getLast(),
              made < recipe.epochs() ? "%s of %s".formatted(made, epochs(recipe)) : epochs(recipe));
    }
    if (epochs.isEmpty()) {
      return "This run has not finished an epoch yet.";
    }
    var last = epochs.getLast();
    return "This run stands after epoch %s of %s, at %s."
        .formatted(last.epoch(), recipe.epochs(), recipe.kind().wording().standing(last));
  }

  /// Returns when and why a training by this recipe stopped early, in a clause without a subject.
  public static String stopped(Recipe recipe, EarlyStopping.Stop stop) {
    EarlyStopping by = recipe.sampling().earlyStop();
    return String.format(
        Locale.ROOT,
        "stopped early, after epoch %d of %d: for %s the validation error was not %sbelow that of"
            + " epoch %d, %.2f %%, the best, whose weights are kept",
        stop.epoch(),
        recipe.epochs(),
        by.patience() == 1 ? "an epoch" : by.patience() + " epochs",
        by.minDelta() == 0 ? "" : number(by.minDelta(), 2) + " points ",
        stop.best(),
        stop.error());
  }

  private static String epochs(Recipe recipe) {
    return recipe.epochs() == 1 ? "an epoch" : recipe.epochs() + " epochs";
  }

  private static Table result(Recipe recipe, List<Metrics.Epoch> epochs, Metrics.Final end) {
    Wording wording = recipe.kind().wording();
    boolean validated = recipe.measuredOn() == Metrics.Split.VALIDATION;
    var rows = new ArrayList<List<String>>();
    rows.add(row(validated ? "test" : wording.measuredOn(recipe), wording, end.test()));
    epochs.stream()
        .filter(e -> e.step() == end.step() && e.measuredOn() == Metrics.Split.VALIDATION)
        .map(e -> row("validation", wording, e.test()))
        .forEach(rows::add);
    rows.add(row("training", wording, end.train()));
    var head = new ArrayList<String>();
    head.add("");
    wording.measures().forEach(measure -> head.add(measure.unit()));
    return new Table(wording.tested(), head, rows);
  }

  private static List<String> row(String of, Wording wording, Map<String, Double> values) {
    var row = new ArrayList<String>();
    row.add(of);
    wording.measures().forEach(measure -> row.add(measure.shown(values)));
    return row;
  }

  /// Returns the words with a capital first letter.
  static String capital(String words) {
    return words.substring(0, 1).toUpperCase(Locale.ROOT) + words.substring(1);
  }

  /// Returns the curve of a figure over the epochs.
  public static Curve curve(
      String group, String name, List<Metrics.Epoch> epochs, ToDoubleFunction<Metrics.Epoch> y) {
    return new Curve(
        group, name, epochs.stream().map(e -> new Point(e.epoch(), y.applyAsDouble(e))).toList());
  }

  private static Chart[] layerCharts(String model, List<Metrics.Layers> layers) {
    return new Chart[] {
      layerChart(
          "Norm of the gradient of each layer's weights",
          "Over one batch of training images. A layer is a convolution or dense layer, from the"
              + " input on.",
          "‖dE/dW‖",
          layers,
          model,
          Metrics.Layers::gradients),
      layerChart(
          "Standard deviation of each layer's response",
          "The standard deviation of the output of the norm behind each convolution, before the rectifier and the addition"
              + " (He et al. 2016, fig. 7). At the start every one is 1.",
          "standard deviation",
          layers,
          model,
          Metrics.Layers::responses)
    };
  }

  private static Chart layerChart(
      String title,
      String caption,
      String unit,
      List<Metrics.Layers> layers,
      String model,
      Function<Metrics.Layers, List<Metrics.Layers.Entry>> entries) {
    var curves = new ArrayList<Curve>();
    for (Metrics.Layers each : layers) {
      curves.add(
          layerCurve(
              model,
              each.step() == 0 ? "start" : "after step " + each.step(),
              entries.apply(each)));
    }
    return new Chart(title, caption, "layer", unit, Scale.LOG, curves);
  }

  /// Returns the curve of a figure over the layers, which are numbered from 1 at the input.
  public static Curve layerCurve(String group, String name, List<Metrics.Layers.Entry> entries) {
    var points = new ArrayList<Point>();
    for (int i = 0; i < entries.size(); i++) {
      points.add(new Point(i + 1, entries.get(i).value()));
    }
    return new Curve(group, name, points);
  }

  /// Returns what was run and where, for people.
  public static SequencedMap<String, String> facts(Run run) {
    var facts = recipe(run.recipe());
    for (RunData.Change change : run.info().data().changes()) {
      facts.merge(
          "other data",
          "from step %s on, so the run is not exact: %s"
              .formatted(change.step(), String.join(", ", change.differences())),
          (before, after) -> before + "; " + after);
    }
    List<Integer> counts = run.info().classCounts();
    if (!counts.isEmpty()) {
      facts.put("training images", counts(run.info().classes(), counts));
    }
    facts.put("started", run.info().started());
    machine(facts, run.info().machine());
    return facts;
  }

  /// The numbers of images of each class, or of the smallest and the largest.
  private static String counts(List<String> classes, List<Integer> counts) {
    if (counts.size() <= WEIGHTS) {
      return IntStream.range(0, counts.size())
          .mapToObj(c -> "%s: %s".formatted(classes.get(c), counts.get(c)))
          .collect(Collectors.joining(", "));
    }
    int least = Collections.min(counts);
    int most = Collections.max(counts);
    return "from %s (%s) to %s (%s), in %s classes"
        .formatted(
            least,
            classes.get(counts.indexOf(least)),
            most,
            classes.get(counts.indexOf(most)),
            counts.size());
  }

  /// Returns what decides a training, for people.
  public static SequencedMap<String, String> recipe(Recipe r) {
    var facts = new LinkedHashMap<String, String>();
    if (r.published() != PublishedRecipe.NONE) {
      facts.put("recipe", "%s: %s".formatted(r.published(), r.published().source()));
    }
    facts.put("model", "%s, %s".formatted(r.model(), r.options()));
    facts.put("data", r.data());
    facts.put("epochs", "%s %s".formatted(r.epochs(), r.kind().wording().batches(r)));
    facts.put("steps", steps(r.optimization()));
    String preprocessing = r.kind().wording().preprocessing(r.preprocessing());
    if (!preprocessing.isEmpty()) {
      facts.put("images", preprocessing);
    }
    if (r.validation() > 0) {
      facts.put(
          "validation",
          "%s images, kept from training, validate the epochs in place of the test images"
              .formatted(r.validation()));
    }
    EarlyStopping stopping = r.sampling().earlyStop();
    if (stopping.isGiven()) {
      facts.put(
          "early stop",
          "after %s epochs without a validation error %sbelow the best"
              .formatted(
                  stopping.patience(),
                  stopping.minDelta() == 0 ? "" : stopping.minDelta() + " points "));
    }
    String balance = balance(r);
    if (!balance.isEmpty()) {
      facts.put("classes", balance);
    }
    if (r.fineTuning().isGiven()) {
      facts.put("weights", weights(r.fineTuning()));
    }
    facts.put("seed", Long.toString(r.seed()));
    facts.put(
        "workers",
        r.workers()
            + (r.execution().processes() > 1
                ? " in each of %s processes".formatted(r.execution().processes())
                : "")
            + (r.execution().shardStatistics() ? ", each with batch statistics of its own" : ""));
    if (r.precision() == Precision.BF16) {
      facts.put("precision", "bfloat16 between the layers; weights, sums and evaluations float32");
    }
    if (r.recompute() > 0) {
      facts.put(
          "memory",
          "%s blocks at a time are computed again in the backward pass".formatted(r.recompute()));
    }
    return facts;
  }

  private static String balance(Recipe r) {
    if (r.sampling().balanced()) {
      return "drawn equally often, with replacement";
    }
    List<Double> weights = r.optimization().classWeights();
    if (weights.isEmpty()) {
      return "";
    }
    return weights.size() <= WEIGHTS
        ? "weighted in the loss by "
            + weights.stream().map(weight -> number(weight, 3)).collect(Collectors.joining(", "))
        : "weighted in the loss by %s to %s"
            .formatted(number(Collections.min(weights), 3), number(Collections.max(weights), 3));
  }

  private static String weights(FineTuning from) {
    Tuning tuning = from.tuning();
    var how = new StringBuilder();
    how.append(
        "%s (SHA-256 %s), the classifier %s, images normalised %s"
            .formatted(
                from.weights(),
                from.fingerprint().substring(0, DIGITS),
                from.fittedHead()
                    ? "new, fitted to the training images at first"
                    : from.newHead()
                        ? "new"
                        : from.headRows().isEmpty() ? "kept" : "kept, reordered",
                from.mean().isEmpty() ? "by the training images" : "as the file says"));
    if (!tuning.freezeUntil().isEmpty()) {
      how.append("; frozen until ").append(tuning.freezeUntil());
    }
    if (tuning.linearProbe() > 0) {
      how.append("; the classifier alone in the first %s epochs".formatted(tuning.linearProbe()));
    }
    if (tuning.layerDecay() < 1) {
      how.append(
          "; learning rate times %s for each block before the classifier"
              .formatted(tuning.layerDecay()));
    }
    return how.toString();
  }

  private static String steps(Optimization d) {
    var how = new StringBuilder();
    how.append(
        switch (d.update().optimizer()) {
          case SGD ->
              "SGD with momentum %s and weight decay %s"
                  .formatted(d.update().momentum(), d.update().weightDecay());
          case ADAM -> "Adam";
          case ADAMW -> "AdamW with weight decay %s".formatted(d.update().weightDecay());
        });
    how.append("; learning rate ").append(d.learningRate().peak());
    how.append(
        switch (d.learningRate().curve()) {
          case STEPS -> "";
          case COSINE -> ", down to 0 along a cosine";
          case ONE_CYCLE -> ", in one cycle: up from a 25th over 30 % of the steps, then down";
          case PLATEAU ->
              ", divided by ten after %s epochs without a better one".formatted(Plateau.PATIENCE);
        });
    if (!d.learningRate().divideAt().isEmpty()) {
      how.append(
          d.learningRate().divideAt().stream()
              .map(RunReport::percent)
              .collect(Collectors.joining(" and ", ", divided by ten at ", " of the steps")));
    }
    if (d.learningRate().warmUp() > 0) {
      how.append(", %s steps at a tenth before".formatted(d.learningRate().warmUp()));
    }
    if (d.learningRate().warmUpError() > 0) {
      how.append(
          ", a tenth until an epoch's training error is below %s %%"
              .formatted(number(d.learningRate().warmUpError(), 0)));
    }
    if (d.clip() > 0) {
      how.append("; gradients clipped to a norm of ").append(d.clip());
    }
    if (d.smoothing() > 0) {
      how.append("; labels smoothed by ").append(d.smoothing());
    }
    if (d.ema() > 0) {
      how.append(
          "; a moving average of the weights, of decay %s, is evaluated and saved"
              .formatted(d.ema()));
    }
    return how.toString();
  }

  /// Adds the versions and the machine that measured.
  public static void machine(SequencedMap<String, String> facts, Machine machine) {
    facts.put("Fathom", machine.source());
    facts.put("libraries", machine.libtorch() + ", " + machine.java());
    facts.put(
        "machine",
        "%s, %s cores, %s".formatted(machine.processor(), machine.cores(), machine.system()));
  }

  /// Returns the lines of one kind, in their order.
  public static <T> List<T> all(List<Metrics> metrics, Class<T> kind) {
    return metrics.stream().filter(kind::isInstance).map(kind::cast).toList();
  }

  /// Returns a fraction in percent, to at most two digits behind the point.
  private static String percent(double fraction) {
    return BigDecimal.valueOf(100 * fraction)
            .setScale(2, RoundingMode.HALF_UP)
            .stripTrailingZeros()
            .toPlainString()
        + " %";
  }

  /// Formats a number with `digits` decimal places, independently of the default locale.
  public static String number(double value, int digits) {
    return String.format(Locale.ROOT, "%." + digits + "f", value);
  }
}
