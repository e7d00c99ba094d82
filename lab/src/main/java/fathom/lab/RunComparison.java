package fathom.lab;

import fathom.report.Block;
import fathom.report.Chart;
import fathom.report.Curve;
import fathom.report.Facts;
import fathom.report.Page;
import fathom.report.Scale;
import fathom.report.Section;
import fathom.report.Table;
import fathom.report.Text;
import fathom.train.Metrics;
import fathom.train.Run;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.ToDoubleFunction;

/// The page of several training runs: what came out, how they learned, and in what they differ.
/// Runs on pictures and runs on text have charts of their own, for their measures are not the same.
public final class RunComparison {
  private RunComparison() {}

  /// A run under a name that no other of the page has.
  private record Named(String name, Run run, List<Metrics.Epoch> epochs, List<Metrics.Final> ends) {
    boolean isText() {
      return run.recipe().isText();
    }
  }

  /// Reads what the runs have measured so far. Throws `IllegalArgumentException` unless there are
  /// at least two.
  public static Page of(List<Run> runs) {
    if (runs.size() < 2) {
      throw new IllegalArgumentException(
          "a comparison is of at least 2 runs, but there are " + runs.size());
    }
    List<Named> all = named(runs);
    var sections = new ArrayList<Section>();
    for (boolean text : new boolean[] {false, true}) {
      List<Named> some = all.stream().filter(run -> run.isText() == text).toList();
      if (!some.isEmpty()) {
        sections.add(
            new Section(
                text ? "Text" : "Pictures",
                text
                    ? List.of(
                        result(some, true),
                        chart(
                            "Bits per character, held out",
                            "bits",
                            Scale.LINEAR,
                            some,
                            e -> bits(e.testLoss())),
                        chart(
                            "Bits per character, training",
                            "bits",
                            Scale.LINEAR,
                            some,
                            e -> bits(e.trainLoss())))
                    : List.of(
                        result(some, false),
                        chart(
                            "Test error",
                            "error in %",
                            Scale.LINEAR,
                            some,
                            Metrics.Epoch::testError),
                        chart(
                            "Training error",
                            "error in %",
                            Scale.LINEAR,
                            some,
                            Metrics.Epoch::trainError),
                        chart(
                            "Training loss",
                            "cross-entropy in nats",
                            Scale.LOG,
                            some,
                            Metrics.Epoch::trainLoss),
                        chart(
                            "Test loss",
                            "cross-entropy in nats",
                            Scale.LOG,
                            some,
                            Metrics.Epoch::testLoss))));
      }
    }
    var same = new LinkedHashMap<String, String>();
    sections.add(new Section("What differs", differences(all, same)));
    if (!same.isEmpty()) {
      sections.add(new Section("What is the same", new Facts(same)));
    }
    return new Page("%s runs".formatted(all.size()), lead(all), sections);
  }

  private static List<Named> named(List<Run> runs) {
    var names = new LinkedHashSet<String>();
    var all = new ArrayList<Named>();
    for (Run run : runs) {
      String folder = String.valueOf(run.folder().toAbsolutePath().normalize().getFileName());
      String name = folder;
      for (int i = 2; !names.add(name); i++) { // folders of one name in different places
        name = "%s (%s)".formatted(folder, i);
      }
      List<Metrics> metrics = run.metrics();
      all.add(
          new Named(
              name,
              run,
              RunReport.all(metrics, Metrics.Epoch.class),
              RunReport.all(metrics, Metrics.Final.class)));
    }
    return all;
  }

  private static String lead(List<Named> all) {
    List<Named> pictures =
        all.stream().filter(run -> !run.isText() && !run.ends.isEmpty()).toList();
    if (pictures.size() < 2) {
      return String.join(", ", all.stream().map(Named::name).toList());
    }
    Named best = pictures.getFirst();
    for (Named run : pictures) {
      best = run.ends.getLast().testError() < best.ends.getLast().testError() ? run : best;
    }
    return "Of %s finished runs on pictures %s ends with the fewest errors on its test pictures, %s %%."
        .formatted(
            pictures.size(), best.name, RunReport.number(best.ends.getLast().testError(), 2));
  }

  private static Block result(List<Named> runs, boolean text) {
    var rows = new ArrayList<List<String>>();
    for (Named run : runs) {
      rows.add(row(run, text));
    }
    return new Table(
        "A finished run by its last weights; another as it stood after its last epoch",
        text
            ? List.of("run", "epochs", "bits, held out", "bits, training", "best epoch", "seconds")
            : List.of(
                "run",
                "epochs",
                "test error in %",
                "training error in %",
                "best epoch, test error in %",
                "seconds"),
        rows);
  }

  private static List<String> row(Named run, boolean text) {
    int of = run.run.recipe().epochs();
    if (run.epochs.isEmpty()) {
      return List.of(run.name, "0 of " + of, "", "", "", "");
    }
    ToDoubleFunction<Metrics.Epoch> judged = e -> text ? bits(e.testLoss()) : e.testError();
    int digits = text ? 3 : 2;
    var last = run.epochs.getLast();
    double best = run.epochs.stream().mapToDouble(judged).min().orElse(Double.NaN);
    double test;
    double training;
    if (run.ends.isEmpty()) {
      test = judged.applyAsDouble(last);
      training = text ? bits(last.trainLoss()) : last.trainError();
    } else {
      var end = run.ends.getLast();
      test = text ? bits(end.testLoss()) : end.testError();
      training = text ? bits(end.trainLoss()) : end.trainError();
    }
    double seconds = run.epochs.stream().mapToDouble(Metrics.Epoch::seconds).sum();
    return List.of(
        run.name,
        run.ends.isEmpty() ? "%s of %s".formatted(last.epoch(), of) : Integer.toString(of),
        RunReport.number(test, digits),
        RunReport.number(training, digits),
        RunReport.number(best, digits),
        String.format(Locale.ROOT, "%.0f", seconds));
  }

  private static Chart chart(
      String title, String unit, Scale scale, List<Named> runs, ToDoubleFunction<Metrics.Epoch> y) {
    var curves = new ArrayList<Curve>();
    for (Named run : runs) {
      curves.add(RunReport.curve(run.name, "", run.epochs, y));
    }
    return new Chart(title, "", "epoch", unit, scale, curves);
  }

  /// What is said of the runs: a row for what they do not share; what they share goes to `same`.
  private static Block differences(List<Named> all, SequencedMap<String, String> same) {
    var said = new ArrayList<SequencedMap<String, String>>();
    var keys = new LinkedHashSet<String>();
    for (Named run : all) {
      SequencedMap<String, String> facts = RunReport.facts(run.run);
      said.add(facts);
      keys.addAll(facts.keySet());
    }
    var rows = new ArrayList<List<String>>();
    for (String key : keys) {
      List<String> values =
          said.stream().map((Map<String, String> facts) -> facts.getOrDefault(key, "")).toList();
      if (values.stream().distinct().count() == 1) {
        same.put(key, values.getFirst());
      } else {
        var row = new ArrayList<String>();
        row.add(key);
        row.addAll(values);
        rows.add(row);
      }
    }
    if (rows.isEmpty()) {
      return new Text("Nothing that was decided before: they ran the same.");
    }
    var head = new ArrayList<String>();
    head.add("");
    all.forEach(run -> head.add(run.name));
    return new Table("What was decided before", head, rows);
  }

  private static double bits(double nats) {
    return nats / Math.log(2);
  }
}
