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
import fathom.run.Recipe;
import fathom.run.Run;
import fathom.train.Metrics;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.SequencedMap;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The page of several training runs: what came out, how they learned, and in what they differ.
/// Runs on pictures and runs on text have charts of their own, for their measures are not the same.
public final class RunComparison {
  private static final String RESULT =
      "A finished run by its last weights; another as it stood after its last epoch";

  private static final String NATS = "cross-entropy in nats";

  private RunComparison() {}

  /// A run under a name that no other of the page has.
  private record Named(String name, Run run, List<Metrics.Epoch> epochs, List<Metrics.Final> ends) {
    boolean isText() {
      return run.recipe().isText();
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

    /// Of the last epoch; empty before the first has ended.
    String last(Function<Metrics.Epoch, String> figure) {
      return epochs.isEmpty() ? "" : figure.apply(epochs.getLast());
    }

    /// The least of all epochs; empty before the first has ended.
    String best(ToDoubleFunction<Metrics.Epoch> figure, int digits) {
      OptionalDouble least = epochs.stream().mapToDouble(figure).min();
      return least.isEmpty() ? "" : RunReport.number(least.getAsDouble(), digits);
    }

    /// How many epochs have ended, and of how many if it is not finished.
    String progress() {
      int of = run.recipe().epochs();
      return ends.isEmpty()
          ? "%s of %s".formatted(epochs.isEmpty() ? 0 : epochs.getLast().epoch(), of)
          : Integer.toString(of);
    }

    /// Since the start, without interruptions, as every line counts them.
    String seconds() {
      return ends.isEmpty()
          ? last(e -> RunReport.number(e.seconds(), 0))
          : RunReport.number(end().seconds(), 0);
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
        sections.add(new Section(text ? "Text" : "Pictures", text ? texts(some) : pictures(some)));
      }
    }
    var same = new LinkedHashMap<String, String>();
    sections.add(new Section("What differs", differences(all, same)));
    if (!same.isEmpty()) {
      sections.add(new Section("What is the same", new Facts(same)));
    }
    return new Page("%s runs".formatted(all.size()), lead(all), sections);
  }

  private static List<Block> texts(List<Named> some) {
    return List.of(
        textResult(some),
        chart(
            "Bits per character, held out",
            "",
            "bits",
            Scale.LINEAR,
            some,
            e -> bits(e.testLoss())),
        chart(
            "Bits per character, training",
            "",
            "bits",
            Scale.LINEAR,
            some,
            e -> bits(e.trainLoss())));
  }

  /// Test images and validation images never share an axis.
  private static List<Block> pictures(List<Named> some) {
    var blocks = new ArrayList<Block>();
    blocks.add(pictureResult(some));
    List<Metrics.Split> splits =
        Stream.of(Metrics.Split.TEST, Metrics.Split.VALIDATION)
            .filter(split -> some.stream().anyMatch(run -> run.measuredOn() == split))
            .toList();
    for (Metrics.Split split : splits) {
      blocks.add(measured("error", "error in %", Scale.LINEAR, some, split, e -> e.testError()));
    }
    blocks.add(chart("Training error", "", "error in %", Scale.LINEAR, some, e -> e.trainError()));
    blocks.add(chart("Training loss", "", NATS, Scale.LOG, some, e -> e.trainLoss()));
    for (Metrics.Split split : splits) {
      blocks.add(measured("loss", NATS, Scale.LOG, some, split, e -> e.testLoss()));
    }
    return blocks;
  }

  /// The curves of those runs whose epochs are measured on `split`.
  private static Chart measured(
      String what,
      String unit,
      Scale scale,
      List<Named> all,
      Metrics.Split split,
      ToDoubleFunction<Metrics.Epoch> y) {
    List<Named> some = all.stream().filter(run -> run.measuredOn() == split).toList();
    return chart(
        "%s %s".formatted(RunReport.capital(split), what),
        caption(all, some, split),
        unit,
        scale,
        some,
        y);
  }

  /// Whose images they are, and whether they are the same for all curves.
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

  /// The images that measure the epochs of a run. Those for validation are drawn by the seed.
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
    List<Named> pictures =
        all.stream().filter(run -> !run.isText() && !run.ends.isEmpty()).toList();
    if (pictures.size() < 2) {
      return String.join(", ", all.stream().map(Named::name).toList());
    }
    Named best = pictures.getFirst();
    for (Named run : pictures) {
      best = run.ends.getLast().testError() < best.ends.getLast().testError() ? run : best;
    }
    return "Of %s finished runs on pictures %s ends with the fewest errors on its test images, %s %%."
        .formatted(
            pictures.size(), best.name, RunReport.number(best.ends.getLast().testError(), 2));
  }

  private static Block textResult(List<Named> runs) {
    var rows = new ArrayList<List<String>>();
    for (Named run : runs) {
      boolean ended = !run.ends.isEmpty();
      rows.add(
          List.of(
              run.name,
              run.progress(),
              ended ? bits(run.end().testLoss(), 3) : run.last(e -> bits(e.testLoss(), 3)),
              ended ? bits(run.end().trainLoss(), 3) : run.last(e -> bits(e.trainLoss(), 3)),
              run.best(e -> bits(e.testLoss()), 3),
              run.seconds()));
    }
    return new Table(
        RESULT,
        List.of(
            "run",
            "epochs",
            "bits, held out",
            "bits, training",
            "best epoch, bits, held out",
            "seconds"),
        rows);
  }

  /// Test images have columns of their own, and validation images others, so that no column has
  /// figures of both.
  private static Block pictureResult(List<Named> runs) {
    boolean validated = runs.stream().anyMatch(Named::isValidated);
    boolean tested = !runs.stream().allMatch(Named::isValidated);
    var head = new ArrayList<>(List.of("run", "epochs", "test error in %"));
    if (validated) {
      head.add("validation error in %");
    }
    head.add("training error in %");
    if (tested) {
      head.add("best epoch, test error in %");
    }
    if (validated) {
      head.add("best epoch, validation error in %");
    }
    head.add("seconds");
    var rows = new ArrayList<List<String>>();
    for (Named run : runs) {
      boolean ended = !run.ends.isEmpty();
      String measured = run.last(e -> RunReport.number(e.testError(), 2));
      String best = run.best(Metrics.Epoch::testError, 2);
      String none = "";
      var row = new ArrayList<>(List.of(run.name, run.progress()));
      row.add(
          ended ? RunReport.number(run.end().testError(), 2) : run.isValidated() ? none : measured);
      if (validated) {
        row.add(run.isValidated() ? measured : none);
      }
      row.add(
          ended
              ? RunReport.number(run.end().trainError(), 2)
              : run.last(e -> RunReport.number(e.trainError(), 2)));
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
      String unit,
      Scale scale,
      List<Named> runs,
      ToDoubleFunction<Metrics.Epoch> y) {
    var curves = new ArrayList<Curve>();
    for (Named run : runs) {
      curves.add(RunReport.curve(run.name, "", run.epochs, y));
    }
    return new Chart(title, caption, "epoch", unit, scale, curves);
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

  private static String bits(double nats, int digits) {
    return RunReport.number(bits(nats), digits);
  }

  private static double bits(double nats) {
    return nats / Math.log(2);
  }
}
