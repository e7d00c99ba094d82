package fathom.lab;

import fathom.report.Chart;
import fathom.report.Curve;
import fathom.report.Facts;
import fathom.report.Page;
import fathom.report.Point;
import fathom.report.Scale;
import fathom.report.Section;
import fathom.report.Table;
import fathom.train.Machine;
import fathom.train.Metrics;
import fathom.train.Recipe;
import fathom.train.Run;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/// The page of one training run: its learning curves, its result and its layers at start and end.
public final class RunReport {
  private RunReport() {}

  /// Reads what the run has measured so far.
  public static Page of(Run run) {
    Recipe recipe = run.recipe();
    List<Metrics> metrics = run.metrics();
    var epochs = all(metrics, Metrics.Epoch.class);
    var layers = all(metrics, Metrics.Layers.class);
    var results = all(metrics, Metrics.Final.class);
    var sections = new ArrayList<Section>();
    if (!results.isEmpty()) {
      sections.add(new Section("Result", result(results.getLast())));
    }
    sections.add(
        new Section(
            "Learning",
            chart(
                "Error",
                "error in %",
                Scale.LINEAR,
                epochs,
                e -> e.trainError(),
                e -> e.testError()),
            chart(
                "Loss",
                "cross-entropy in nats",
                Scale.LOG,
                epochs,
                e -> e.trainLoss(),
                e -> e.testLoss())));
    if (!layers.isEmpty()) {
      sections.add(new Section("Layers", layerCharts(recipe.model(), layers)));
    }
    sections.add(new Section("What was run", new Facts(facts(run))));
    return new Page(
        "%s on %s".formatted(recipe.model(), recipe.data()),
        lead(recipe, epochs, results),
        sections);
  }

  private static String lead(
      Recipe recipe, List<Metrics.Epoch> epochs, List<Metrics.Final> results) {
    if (!results.isEmpty()) {
      var end = results.getLast();
      return "%s makes %.2f %% errors on the test pictures and %.2f %% on those it was trained with, after %d epochs."
          .formatted(recipe.model(), end.testError(), end.trainError(), recipe.epochs());
    }
    return epochs.isEmpty()
        ? "This run has not finished an epoch yet."
        : "This run stands after epoch %d of %d, at %.2f %% errors on the test pictures."
            .formatted(epochs.getLast().epoch(), recipe.epochs(), epochs.getLast().testError());
  }

  private static Table result(Metrics.Final end) {
    return new Table(
        "All pictures, as they are, through predict",
        List.of("pictures", "error in %", "cross-entropy in nats"),
        List.of(
            List.of("test", number(end.testError(), 2), number(end.testLoss(), 4)),
            List.of("training", number(end.trainError(), 2), number(end.trainLoss(), 4))));
  }

  private static Chart chart(
      String title,
      String unit,
      Scale scale,
      List<Metrics.Epoch> epochs,
      ToDoubleFunction<Metrics.Epoch> train,
      ToDoubleFunction<Metrics.Epoch> test) {
    return new Chart(
        title,
        "Training: over the epoch, before each step, of pictures varied as in training. Test: at the epoch's end.",
        "epoch",
        unit,
        scale,
        List.of(curve("training", "", epochs, train), curve("test", "", epochs, test)));
  }

  static Curve curve(
      String group, String name, List<Metrics.Epoch> epochs, ToDoubleFunction<Metrics.Epoch> y) {
    return new Curve(
        group, name, epochs.stream().map(e -> new Point(e.epoch(), y.applyAsDouble(e))).toList());
  }

  private static Chart[] layerCharts(String model, List<Metrics.Layers> layers) {
    return new Chart[] {
      layerChart(
          "Norm of the gradient of each layer's weights",
          "Over one batch of training pictures. A layer is a convolution or dense layer, from the input on.",
          "‖dE/dW‖",
          layers,
          model,
          Metrics.Layers::gradients),
      layerChart(
          "Deviation of each layer's response",
          "Of the value of the norm behind each convolution, before the rectifier and the addition (He et al. 2016, fig. 7). At the start every one is 1.",
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

  static Curve layerCurve(String group, String name, List<Metrics.Layers.Entry> entries) {
    var points = new ArrayList<Point>();
    for (int i = 0; i < entries.size(); i++) {
      points.add(new Point(i + 1, entries.get(i).value()));
    }
    return new Curve(group, name, points);
  }

  static SequencedMap<String, String> facts(Run run) {
    Recipe r = run.recipe();
    var facts = new LinkedHashMap<String, String>();
    facts.put(
        "model",
        "%s, width %d, shortcut %s, %s norm"
            .formatted(
                r.model(), r.width(), r.shortcut(), r.norm().name().toLowerCase(Locale.ROOT)));
    facts.put("data", r.data());
    facts.put(
        "recipe",
        "%d epochs in batches of %d; rate %s, divided by ten at %s of the steps%s; momentum %s, weight decay %s"
            .formatted(
                r.epochs(),
                r.batch(),
                r.rate(),
                r.divideAt(),
                r.warmUp() == 0 ? "" : ", %d steps at a tenth before".formatted(r.warmUp()),
                r.momentum(),
                r.weightDecay()));
    facts.put(
        "pictures",
        "%s; %s"
            .formatted(
                r.pixelMean() ? "mean of each pixel subtracted" : "channels normalised",
                r.crop() == 0 && !r.flip()
                    ? "as they are"
                    : "cropped from a border of %d%s"
                        .formatted(r.crop(), r.flip() ? ", flipped" : "")));
    facts.put("seed", Long.toString(r.seed()));
    facts.put("workers", Integer.toString(r.workers()));
    facts.put("started", run.info().started());
    machine(facts, run.info().machine());
    return facts;
  }

  static void machine(SequencedMap<String, String> facts, Machine machine) {
    facts.put("Fathom", machine.source());
    facts.put("libraries", machine.libtorch() + ", " + machine.java());
    facts.put(
        "machine",
        "%s, %d cores, %s".formatted(machine.processor(), machine.cores(), machine.system()));
  }

  static <T> List<T> all(List<Metrics> metrics, Class<T> kind) {
    return metrics.stream().filter(kind::isInstance).map(kind::cast).toList();
  }

  static String number(double value, int digits) {
    return String.format(Locale.ROOT, "%." + digits + "f", value);
  }
}
