package fathom.lab.ledger;

import fathom.report.Chart;
import fathom.report.Curve;
import fathom.report.Digits;
import fathom.report.HeatMap;
import fathom.report.Scale;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.BooleanSupplier;

/// What an experiment writes down for one seed.
public final class Notebook {
  /// Somebody asked to stop; nothing of this experiment is kept.
  public static final class Stopped extends RuntimeException {
    private static final long serialVersionUID = 1;
  }

  record Entry(double value, Bound bound) {}

  private final long seed;
  private final BooleanSupplier stop;
  private final SequencedMap<String, Entry> entries = new LinkedHashMap<>();
  private final SequencedMap<String, Chart> charts = new LinkedHashMap<>();
  private final List<HeatMap> maps = new ArrayList<>();
  private final List<ImageRow> images = new ArrayList<>();

  /// For one seed; [#alive] asks `stop`.
  public Notebook(long seed, BooleanSupplier stop) {
    this.seed = seed;
    this.stop = stop;
  }

  /// A value and what the claim allows it to be. Throws `IllegalStateException` if there is one of
  /// this name.
  public void measure(String what, double value, Bound bound) {
    if (entries.put(what, new Entry(value, bound)) != null) {
      throw new IllegalStateException(
          "\"%s\" was measured twice; name the condition".formatted(what));
    }
  }

  /// A value that is only shown.
  public void measure(String what, double value) {
    measure(what, value, Bound.NONE);
  }

  /// A line in the chart of this title, which is made with the first one.
  public void curve(
      String title,
      String xLabel,
      String yLabel,
      Scale scale,
      String group,
      double[] x,
      double[] y) {
    Chart chart =
        charts.getOrDefault(title, new Chart(title, "", xLabel, yLabel, scale, List.of()));
    var curves = new ArrayList<>(chart.curves());
    curves.add(Curve.of(group, "seed " + seed, x, y));
    charts.put(title, new Chart(title, "", chart.xLabel(), chart.yLabel(), chart.y(), curves));
  }

  /// A map of `values[row][column]`, all above 0, at places along both axes.
  public void map(
      String title,
      String caption,
      String xLabel,
      String yLabel,
      String unit,
      double[] rows,
      double[] columns,
      double[][] values) {
    maps.add(
        new HeatMap(
            "%s, seed %s".formatted(title, seed),
            caption,
            xLabel,
            yLabel,
            unit,
            Arrays.stream(rows).mapToObj(Digits::rounded).toList(),
            Arrays.stream(columns).mapToObj(Digits::rounded).toList(),
            Arrays.stream(values).map(row -> Arrays.stream(row).boxed().toList()).toList()));
  }

  /// Images side by side under a title, each with its caption, as the bytes of PNG files. Of all
  /// seeds a finding keeps those of the first; a few of some hundred bytes are meant.
  public void images(String title, SequencedMap<String, byte[]> byCaption) {
    images.add(ImageRow.of("%s, seed %s".formatted(title, seed), byCaption));
  }

  /// To be called often: ends the experiment if somebody wants it to end.
  public void alive() {
    if (stop.getAsBoolean()) {
      throw new Stopped();
    }
  }

  /// What was measured under this name.
  public double value(String what) {
    Entry entry = entries.get(what);
    if (entry == null) {
      throw new IllegalStateException("\"%s\" was not measured".formatted(what));
    }
    return entry.value();
  }

  SequencedMap<String, Entry> entries() {
    return entries;
  }

  SequencedMap<String, Chart> charts() {
    return charts;
  }

  List<HeatMap> maps() {
    return maps;
  }

  List<ImageRow> images() {
    return images;
  }
}
