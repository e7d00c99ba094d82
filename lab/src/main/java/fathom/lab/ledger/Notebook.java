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

/// The record of an experiment for one seed: values with their bounds, curves, maps and images.
public final class Notebook {
  /// Ends an experiment because the user asked to stop; nothing of the experiment is kept.
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

  /// Creates the notebook of a seed; [#alive] asks `stop` whether to stop.
  public Notebook(long seed, BooleanSupplier stop) {
    this.seed = seed;
    this.stop = stop;
  }

  /// Records a value and the bound that the claim sets for it. Throws `IllegalStateException` if a
  /// value of this name exists.
  public void measure(String what, double value, Bound bound) {
    if (entries.put(what, new Entry(value, bound)) != null) {
      throw new IllegalStateException(
          "\"%s\" was measured twice; name the condition".formatted(what));
    }
  }

  /// Records a value that is only shown. Throws `IllegalStateException` if a value of this name
  /// exists.
  public void measure(String what, double value) {
    measure(what, value, Bound.NONE);
  }

  /// Adds a curve to the chart of this title; the first curve creates the chart.
  ///
  /// @param title the title of the chart
  /// @param xLabel quantity and unit of x; that of the first curve counts
  /// @param yLabel quantity and unit of y; that of the first curve counts
  /// @param scale the scale of the y axis; that of the first curve counts
  /// @param group what is compared; it decides the colour
  /// @param x strictly rising, finite places
  /// @param y a value for each place
  /// @throws IllegalArgumentException if x does not rise, or x and y have different lengths
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

  /// Adds a heat map of `values[row][column]`, all above 0, at places along both axes.
  ///
  /// @param title the title of the map
  /// @param caption what to look for in the map
  /// @param xLabel what a column is
  /// @param yLabel what a row is
  /// @param unit of the values
  /// @param rows the place of each row
  /// @param columns the place of each column
  /// @param values for each row, a value for each column
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

  /// Adds images side by side under a title: the bytes of PNG files by their captions. A finding
  /// keeps the images of its first seed only. It should be a few images of some hundred bytes.
  public void images(String title, SequencedMap<String, byte[]> byCaption) {
    images.add(ImageRow.of("%s, seed %s".formatted(title, seed), byCaption));
  }

  /// Throws [Stopped] if the user asked to stop. An experiment must call it often.
  public void alive() {
    if (stop.getAsBoolean()) {
      throw new Stopped();
    }
  }

  /// Returns the value that was recorded under this name. Throws `IllegalStateException` if there
  /// is none.
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
