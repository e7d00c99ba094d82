package fathom.lab.ledger;

import fathom.report.Chart;
import fathom.report.HeatMap;
import fathom.train.Machine;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;

/// The result of an experiment for all of its seeds.
///
/// @param experiment the name of the experiment
/// @param question what it asks
/// @param claim what it claims
/// @param source who makes the claim, and where
/// @param size how much the measurement cost
/// @param seeds the seeds in their order
/// @param threshold the bounds of the values in words
/// @param values the measured values, each with its bound
/// @param verdict the result of [Verdict#of] for the values
/// @param seconds the time from start to end, all seeds together
/// @param ended the time of the end, in ISO 8601
/// @param machine the machine and the versions that measured
/// @param charts the charts, with the curves of all seeds
/// @param maps the heat maps of all seeds
/// @param images rows of small images of the first seed alone, so that a finding stays small
public record Finding(
    String experiment,
    String question,
    String claim,
    String source,
    Size size,
    List<Long> seeds,
    String threshold,
    List<Value> values,
    Verdict verdict,
    double seconds,
    String ended,
    Machine machine,
    List<Chart> charts,
    List<HeatMap> maps,
    List<ImageRow> images) {
  /// Copies the lists.
  ///
  /// @throws NullPointerException if a part is null that every finding has
  /// @throws IllegalArgumentException if a value does not have one number for each seed
  public Finding {
    for (Object part : new Object[] {experiment, size, verdict, machine, threshold, claim}) {
      Objects.requireNonNull(part, "a finding has no part that is null");
    }
    seeds = List.copyOf(seeds);
    values = List.copyOf(values);
    charts = List.copyOf(charts);
    maps = List.copyOf(maps);
    images = List.copyOf(images);
    for (Value value : values) {
      if (value.perSeed().size() != seeds.size()) {
        throw new IllegalArgumentException(
            "\"%s\" has %s values for %s seeds; a value has one for each"
                .formatted(value.what(), value.perSeed().size(), seeds.size()));
      }
    }
  }

  /// Joins the notebooks of all seeds. Throws `IllegalStateException` if they do not hold the same
  /// quantities under the same bounds.
  public static Finding of(
      Statement statement,
      Size size,
      List<Long> seeds,
      List<Notebook> notebooks,
      double seconds,
      String ended) {
    var values = new ArrayList<Value>();
    notebooks
        .getFirst()
        .entries()
        .forEach((what, first) -> {
          var perSeed = new ArrayList<Double>();
          for (Notebook notebook : notebooks) {
            var entry = notebook.entries().get(what);
            if (entry == null
                || !entry.bound().equals(first.bound())
                || notebook.entries().size() != notebooks.getFirst().entries().size()) {
              throw new IllegalStateException(
                  "%s measures the same for every seed, but not \"%s\""
                      .formatted(statement.name(), what));
            }
            perSeed.add(entry.value());
          }
          values.add(new Value(what, perSeed, first.bound()));
        });
    var charts = new LinkedHashMap<String, Chart>();
    for (Notebook notebook : notebooks) {
      notebook.charts().forEach((title, chart) -> charts.merge(title, chart, Finding::joined));
    }
    return new Finding(
        statement.name(),
        statement.question(),
        statement.claim(),
        statement.source(),
        size,
        seeds,
        threshold(values),
        values,
        Verdict.of(values),
        seconds,
        ended,
        Machine.here(),
        List.copyOf(charts.values()),
        notebooks.stream().flatMap(notebook -> notebook.maps().stream()).toList(),
        notebooks.getFirst().images());
  }

  private static Chart joined(Chart a, Chart b) {
    var curves = new ArrayList<>(a.curves());
    curves.addAll(b.curves());
    return new Chart(a.title(), a.caption(), a.xLabel(), a.yLabel(), a.y(), curves);
  }

  private static String threshold(List<Value> values) {
    return values.stream()
        .filter(v -> v.bound().isSet())
        .map(v -> v.what() + " " + v.bound())
        .collect(Collectors.joining("; "));
  }
}
