package fathom.report.run;

import fathom.report.Block;
import fathom.report.Chart;
import fathom.report.Curve;
import fathom.report.Facts;
import fathom.report.Page;
import fathom.report.Point;
import fathom.report.Scale;
import fathom.report.Section;
import fathom.report.Table;
import fathom.run.Descent;
import fathom.run.Preparation;
import fathom.run.Recipe;
import fathom.run.Run;
import fathom.run.RunData;
import fathom.train.Machine;
import fathom.train.Metrics;
import fathom.train.Precision;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/// The page of one training run: its learning curves, its result, what became of the test pictures,
/// and its layers at start and end.
public final class RunReport {
  private RunReport() {}

  /// Reads what the run has measured so far, for the page in the run's folder.
  public static Page of(Run run) {
    return of(run, run.report());
  }

  /// The same for a page that will lie elsewhere, from where its links go to the images' files.
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
    if (!layers.isEmpty()) {
      sections.add(new Section("Layers", layerCharts(recipe.model(), layers)));
    }
    var maps = WatchedLayers.maps(all(metrics, Metrics.Watch.class), epochs);
    if (!maps.isEmpty()) {
      sections.add(new Section("Layers over time", maps.toArray(new Block[0])));
    }
    sections.add(new Section("What was run", new Facts(facts(run))));
    return new Page(
        "%s on %s".formatted(recipe.model(), recipe.data()),
        lead(recipe, epochs, results),
        sections);
  }

  private static Chart[] learning(Recipe recipe, List<Metrics.Epoch> epochs) {
    Chart error =
        chart(
            recipe,
            "Error",
            "error in %",
            Scale.LINEAR,
            epochs,
            e -> e.trainError(),
            e -> e.testError());
    Chart loss =
        recipe.isText()
            ? chart(
                recipe,
                "Bits per character",
                "bits",
                Scale.LINEAR,
                epochs,
                e -> bits(e.trainLoss()),
                e -> bits(e.testLoss()))
            : chart(
                recipe,
                "Loss",
                "cross-entropy in nats",
                Scale.LOG,
                epochs,
                e -> e.trainLoss(),
                e -> e.testLoss());
    return recipe.isText() ? new Chart[] {loss, error} : new Chart[] {error, loss};
  }

  private static double bits(double nats) {
    return nats / Math.log(2);
  }

  private static String lead(
      Recipe recipe, List<Metrics.Epoch> epochs, List<Metrics.Final> results) {
    if (!results.isEmpty()) {
      var end = results.getLast();
      return recipe.isText()
          ? "%s needs %s bits for a character of the text that was held out, and %s for one of the text it was trained with, after %s."
              .formatted(
                  recipe.model(),
                  number(bits(end.testLoss()), 3),
                  number(bits(end.trainLoss()), 3),
                  epochs(recipe))
          : "%s makes %s %% errors on the test pictures and %s %% on those it was trained with, after %s."
              .formatted(
                  recipe.model(),
                  number(end.testError(), 2),
                  number(end.trainError(), 2),
                  epochs(recipe));
    }
    if (epochs.isEmpty()) {
      return "This run has not finished an epoch yet.";
    }
    var last = epochs.getLast();
    return "This run stands after epoch %s of %s, at %s."
        .formatted(
            last.epoch(),
            recipe.epochs(),
            recipe.isText()
                ? number(bits(last.testLoss()), 3)
                    + " bits per character of the text that was held out"
                : number(last.testError(), 2)
                    + " %% errors on the %s images".formatted(last.measuredOn()));
  }

  private static String epochs(Recipe recipe) {
    return recipe.epochs() == 1 ? "an epoch" : recipe.epochs() + " epochs";
  }

  private static Table result(Recipe recipe, List<Metrics.Epoch> epochs, Metrics.Final end) {
    if (recipe.isText()) {
      return new Table(
          "All of the text that was held out, and as much of the beginning of the rest, through"
              + " predict",
          List.of("text", "bits per character", "perplexity", "error in %"),
          List.of(
              textRow("held out", end.testLoss(), end.testError()),
              textRow("training", end.trainLoss(), end.trainError())));
    }
    var rows = new ArrayList<List<String>>();
    rows.add(pictureRow("test", end.testError(), end.testLoss()));
    epochs.stream()
        .filter(e -> e.step() == end.step() && e.measuredOn() == Metrics.Split.VALIDATION)
        .map(e -> pictureRow("validation", e.testError(), e.testLoss()))
        .forEach(rows::add);
    rows.add(pictureRow("training", end.trainError(), end.trainLoss()));
    return new Table(
        "All images, as they are, through predict, by the last weights",
        List.of("images", "error in %", "cross-entropy in nats"),
        rows);
  }

  private static List<String> pictureRow(String which, double error, double loss) {
    return List.of(which, number(error, 2), number(loss, 4));
  }

  private static List<String> textRow(String what, double loss, double error) {
    return List.of(what, number(bits(loss), 3), number(Math.exp(loss), 2), number(error, 2));
  }

  private static Chart chart(
      Recipe recipe,
      String title,
      String unit,
      Scale scale,
      List<Metrics.Epoch> epochs,
      ToDoubleFunction<Metrics.Epoch> train,
      ToDoubleFunction<Metrics.Epoch> test) {
    return new Chart(
        title,
        recipe.isText()
            ? "Training: over the epoch, before each step. Held out: the text that was held out, at"
                + " the epoch's end."
            : "Training: over the epoch, before each step, of images varied as in training. "
                + capital(recipe.measuredOn())
                + ": at the epoch's end, of the %s images.".formatted(recipe.measuredOn()),
        "epoch",
        unit,
        scale,
        List.of(
            curve("training", "", epochs, train),
            curve(
                recipe.isText() ? "held out" : recipe.measuredOn().toString(), "", epochs, test)));
  }

  /// The same at the beginning of a title.
  static String capital(Metrics.Split split) {
    return switch (split) {
      case VALIDATION -> "Validation";
      case TEST -> "Test";
    };
  }

  /// A figure of every epoch over the epochs.
  public static Curve curve(
      String group, String name, List<Metrics.Epoch> epochs, ToDoubleFunction<Metrics.Epoch> y) {
    return new Curve(
        group, name, epochs.stream().map(e -> new Point(e.epoch(), y.applyAsDouble(e))).toList());
  }

  private static Chart[] layerCharts(String model, List<Metrics.Layers> layers) {
    return new Chart[] {
      layerChart(
          "Norm of the gradient of each layer's weights",
          "Over one batch of training pictures. A layer is a convolution or dense layer, from the"
              + " input on.",
          "‖dE/dW‖",
          layers,
          model,
          Metrics.Layers::gradients),
      layerChart(
          "Deviation of each layer's response",
          "Of the value of the norm behind each convolution, before the rectifier and the addition"
              + " (He et al. 2016, fig. 7). At the start every one is 1.",
          "deviation",
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

  /// A figure of every layer over the layers, from the input on.
  public static Curve layerCurve(String group, String name, List<Metrics.Layers.Entry> entries) {
    var points = new ArrayList<Point>();
    for (int i = 0; i < entries.size(); i++) {
      points.add(new Point(i + 1, entries.get(i).value()));
    }
    return new Curve(group, name, points);
  }

  /// What was run and where, for people.
  public static SequencedMap<String, String> facts(Run run) {
    var facts = recipe(run.recipe());
    for (RunData.Change change : run.info().data().changes()) {
      facts.merge(
          "other data",
          "from step %s on, so the run is not exact: %s"
              .formatted(change.step(), String.join(", ", change.differences())),
          (before, after) -> before + "; " + after);
    }
    facts.put("started", run.info().started());
    machine(facts, run.info().machine());
    return facts;
  }

  /// What decides a training, for people.
  public static SequencedMap<String, String> recipe(Recipe r) {
    var facts = new LinkedHashMap<String, String>();
    facts.put("model", "%s, %s".formatted(r.model(), r.options()));
    facts.put("data", r.data());
    facts.put(
        "epochs",
        r.isText()
            ? "%s of %s streams in windows of %s characters"
                .formatted(r.epochs(), r.batch(), r.window())
            : "%s in batches of %s".formatted(r.epochs(), r.batch()));
    facts.put("steps", steps(r.descent()));
    if (!r.isText()) {
      facts.put("pictures", pictures(r.preparation()));
    }
    if (r.validation() > 0) {
      facts.put(
          "validation",
          "%s pictures, kept from training, judge the epochs in place of the test pictures"
              .formatted(r.validation()));
    }
    facts.put("seed", Long.toString(r.seed()));
    facts.put(
        "workers",
        r.workers() + (r.shardStatistics() ? ", each with batch statistics of its own" : ""));
    if (r.precision() == Precision.BF16) {
      facts.put("precision", "bfloat16 between the layers; weights, sums and evaluations float32");
    }
    if (r.recompute() > 0) {
      facts.put(
          "memory",
          "%s blocks at a time are computed again on the way back".formatted(r.recompute()));
    }
    return facts;
  }

  private static String steps(Descent d) {
    var how = new StringBuilder();
    how.append(
        switch (d.optimizer()) {
          case SGD ->
              "SGD with momentum %s and weight decay %s".formatted(d.momentum(), d.weightDecay());
          case ADAM -> "Adam";
          case ADAMW -> "AdamW with weight decay %s".formatted(d.weightDecay());
        });
    how.append("; rate ").append(d.rate());
    how.append(
        switch (d.curve()) {
          case STEPS -> "";
          case COSINE -> ", down to 0 along a cosine";
          case ONE_CYCLE -> ", in one cycle: up from a 25th over 30 % of the steps, then down";
        });
    if (!d.divideAt().isEmpty()) {
      how.append(", divided by ten at %s of the steps".formatted(d.divideAt()));
    }
    if (d.warmUp() > 0) {
      how.append(", %s steps at a tenth before".formatted(d.warmUp()));
    }
    if (d.clip() > 0) {
      how.append("; gradients clipped to a norm of ").append(d.clip());
    }
    if (d.smoothing() > 0) {
      how.append("; labels smoothed by ").append(d.smoothing());
    }
    return how.toString();
  }

  private static String pictures(Preparation p) {
    return "%s; %s"
        .formatted(
            p.pixelMean() ? "mean of each pixel subtracted" : "channels normalised",
            p.size() > 0
                ? "photographs from their files at %s×%s, %s"
                    .formatted(
                        p.size(), p.size(), p.part() ? "random parts, flipped" : "the centre")
                : p.crop() == 0 && !p.flip()
                    ? "as they are"
                    : "cropped from a border of %s%s"
                        .formatted(p.crop(), p.flip() ? ", flipped" : ""));
  }

  /// Adds what measured and with which versions.
  public static void machine(SequencedMap<String, String> facts, Machine machine) {
    facts.put("Fathom", machine.source());
    facts.put("libraries", machine.libtorch() + ", " + machine.java());
    facts.put(
        "machine",
        "%s, %s cores, %s".formatted(machine.processor(), machine.cores(), machine.system()));
  }

  /// The lines of one kind, in their order.
  public static <T> List<T> all(List<Metrics> metrics, Class<T> kind) {
    return metrics.stream().filter(kind::isInstance).map(kind::cast).toList();
  }

  /// With so many digits behind the point, in every locale alike.
  public static String number(double value, int digits) {
    return String.format(Locale.ROOT, "%." + digits + "f", value);
  }
}
