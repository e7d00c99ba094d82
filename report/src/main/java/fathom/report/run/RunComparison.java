package fathom.report.run;

import fathom.report.Block;
import fathom.report.Chart;
import fathom.report.Curve;
import fathom.report.Facts;
import fathom.report.Page;
import fathom.report.Scale;
import fathom.report.Section;
import fathom.report.Table;
import fathom.report.Text;
import fathom.run.Kind;
import fathom.run.Measure;
import fathom.run.Recipe;
import fathom.run.Run;
import fathom.run.Wording;
import fathom.train.Metrics;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Makes the page that compares several training runs: their results, their learning curves, and
/// their differences. Runs of different kinds, such as images and text, have charts of their own,
/// because their measures differ.
public final class RunComparison {
  private static final String RESULT =
      "A finished run by its last weights; another as it stood after its last epoch";

  private RunComparison() {}

  /// A run under a name that no other run of the page has.
  private record Named(String name, Run run, List<Metrics.Epoch> epochs, List<Metrics.Final> ends) {
    String kind() {
      return run.recipe().kind().name();
    }

    Metrics.Split measuredOn() {
      return run.recipe().measuredOn();
    }

    boolean isValidated() {
      return measuredOn() == Metrics.Split.VALIDATION;
    }

    Metrics.Final end() {
      return ends.getLast();
    }

    /// Returns a figure of the last epoch; empty before the first epoch has ended.
    String last(Function<Metrics.Epoch, String> figure) {
      return epochs.isEmpty() ? "" : figure.apply(epochs.getLast());
    }

    /// Returns the best value of all epochs; empty before the first epoch has ended.
    String best(Measure measure) {
      var values = epochs.stream().mapToDouble(e -> measure.in(e.test()));
      var best = measure.larger() ? values.max() : values.min();
      return best.isEmpty() ? "" : measure.shown(best.getAsDouble());
    }

    /// Returns how many epochs have ended, and of how many if the run is not finished.
    String progress() {
      int of = run.recipe().epochs();
      return ends.isEmpty()
          ? "%s of %s".formatted(epochs.isEmpty() ? 0 : epochs.getLast().epoch(), of)
          : Integer.toString(of);
    }

    /// Returns the seconds since the start without interruptions, as the lines of the metrics count
    /// them.
    String seconds() {
      return ends.isEmpty()
          ? last(e -> RunReport.number(e.seconds(), 0))
          : RunReport.number(end().seconds(), 0);
    }
  }

  /// Returns the page for what the runs have measured so far. Throws `IllegalArgumentException` if
  /// there are fewer than two runs.
  public static Page of(List<Run> runs) {
    if (runs.size() < 2) {
      throw new IllegalArgumentException(
          "a comparison is of at least 2 runs, but there are " + runs.size());
    }
    List<Named> all = named(runs);
    var sections = new ArrayList<Section>();
    for (Kind kind : Kind.all()) {
      List<Named> some = all.stream().filter(run -> run.kind().equals(kind.name())).toList();
      if (!some.isEmpty()) {
        sections.add(new Section(RunReport.capital(kind.name()), compared(kind.wording(), some)));
      }
    }
    var same = new LinkedHashMap<String, String>();
    sections.add(new Section("What differs", differences(all, same)));
    if (!same.isEmpty()) {
      sections.add(new Section("What is the same", new Facts(same)));
    }
    return new Page("%s runs".formatted(all.size()), lead(all), sections);
  }

  /// Returns the table and the charts of runs of one kind. Test images and validation images never
  /// share an axis.
  private static List<Block> compared(Wording wording, List<Named> some) {
    var blocks = new ArrayList<Block>();
    Measure first = wording.measures().getFirst();
    blocks.add(result(wording, first, some));
    List<Metrics.Split> splits =
        Stream.of(Metrics.Split.TEST, Metrics.Split.VALIDATION)
            .filter(split -> some.stream().anyMatch(run -> run.measuredOn() == split))
            .toList();
    for (Measure measure : wording.measures().stream().filter(Measure::charted).toList()) {
      for (Metrics.Split split : splits) {
        blocks.add(measured(wording, measure, some, split));
      }
      blocks.add(
          chart("Training " + measure.what(), "", measure, some, e -> measure.in(e.train())));
    }
    return blocks;
  }

  /// Returns the curves of the runs whose epochs are measured on `split`.
  private static Chart measured(
      Wording wording, Measure measure, List<Named> all, Metrics.Split split) {
    List<Named> some = all.stream().filter(run -> run.measuredOn() == split).toList();
    return chart(
        "%s %s".formatted(RunReport.capital(on(wording, some.getFirst())), measure.what()),
        caption(all, some, split),
        measure,
        some,
        e -> measure.in(e.test()));
  }

  /// Returns what the epochs of a run are measured on, in the form that stands before a noun.
  private static String on(Wording wording, Named run) {
    return wording.measuredOn(run.run.recipe()).replace(' ', '-');
  }

  /// Returns a caption that says which images the curves are measured on, and whether they are the
  /// same for all curves.
  private static String caption(List<Named> all, List<Named> some, Metrics.Split split) {
    var caption = new StringBuilder();
    if (some.size() < all.size()) {
      caption.append(
          "Only the runs whose epochs are measured on %s images; the others have a chart of their own."
              .formatted(split));
    }
    var images = new LinkedHashMap<String, List<String>>();
    some.forEach(run ->
        images.computeIfAbsent(images(run.run.recipe()), _ -> new ArrayList<>()).add(run.name));
    if (images.size() > 1) {
      caption.append(caption.isEmpty() ? "" : " ").append("The images are not the same: ");
      caption.append(
          images.entrySet().stream()
              .map(e -> "%s (%s)".formatted(e.getKey(), String.join(", ", e.getValue())))
              .collect(Collectors.joining("; ")));
      caption.append('.');
    }
    return caption.toString();
  }

  /// Returns the images that measure the epochs of a run. Validation images are drawn by the seed.
  private static String images(Recipe recipe) {
    return switch (recipe.measuredOn()) {
      case TEST -> "the test images of %s".formatted(recipe.data());
      case VALIDATION ->
          "%s images of %s with seed %s"
              .formatted(recipe.validation(), recipe.data(), recipe.seed());
    };
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
    for (Kind kind : Kind.all().reversed()) {
      List<Named> ended =
          all.stream()
              .filter(run -> run.kind().equals(kind.name()) && !run.ends.isEmpty())
              .toList();
      if (ended.size() > 1) {
        Measure measure = kind.wording().measures().getFirst();
        Comparator<Named> worse = Comparator.comparingDouble(run -> measure.in(run.end().test()));
        Named best = Collections.min(ended, measure.larger() ? worse.reversed() : worse);
        return "Of %s finished runs on %s %s ends with the %s %s of what is for testing, %s%s."
            .formatted(
                ended.size(),
                kind.name(),
                best.name,
                measure.larger() ? "largest" : "least",
                measure.what(),
                measure.shown(best.end().test()),
                measure.unit().endsWith("in %") ? " %" : "");
      }
    }
    return String.join(", ", all.stream().map(Named::name).toList());
  }

  /// Returns the table of results. Test images and validation images have different columns, so
  /// that no column mixes figures of both.
  private static Block result(Wording wording, Measure measure, List<Named> runs) {
    boolean validated = runs.stream().anyMatch(Named::isValidated);
    boolean tested = !runs.stream().allMatch(Named::isValidated);
    String test =
        runs.stream()
            .filter(run -> !run.isValidated())
            .findFirst()
            .map(run -> on(wording, run))
            .orElse("test");
    var head = new ArrayList<>(List.of("run", "epochs", "%s %s".formatted(test, measure.unit())));
    if (validated) {
      head.add("validation " + measure.unit());
    }
    head.add("training " + measure.unit());
    if (tested) {
      head.add("best epoch, %s %s".formatted(test, measure.unit()));
    }
    if (validated) {
      head.add("best epoch, validation " + measure.unit());
    }
    head.add("seconds");
    var rows = new ArrayList<List<String>>();
    for (Named run : runs) {
      boolean ended = !run.ends.isEmpty();
      String measured = run.last(e -> measure.shown(e.test()));
      String best = run.best(measure);
      String none = "";
      var row = new ArrayList<>(List.of(run.name, run.progress()));
      row.add(ended ? measure.shown(run.end().test()) : run.isValidated() ? none : measured);
      if (validated) {
        row.add(run.isValidated() ? measured : none);
      }
      row.add(ended ? measure.shown(run.end().train()) : run.last(e -> measure.shown(e.train())));
      if (tested) {
        row.add(run.isValidated() ? none : best);
      }
      if (validated) {
        row.add(run.isValidated() ? best : none);
      }
      row.add(run.seconds());
      rows.add(row);
    }
    return new Table(RESULT, head, rows);
  }

  private static Chart chart(
      String title,
      String caption,
      Measure measure,
      List<Named> runs,
      ToDoubleFunction<Metrics.Epoch> y) {
    var curves = new ArrayList<Curve>();
    for (Named run : runs) {
      curves.add(RunReport.curve(run.name, "", run.epochs, y));
    }
    Scale scale = measure.log() ? Scale.LOG : Scale.LINEAR;
    return new Chart(title, caption, "epoch", measure.unit(), scale, curves);
  }

  /// Returns a table with a row for each fact in which the runs differ, and puts the facts that
  /// they share into `same`.
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
}
