package fathom.bench;

import fathom.io.BadFileException;
import fathom.io.Json;
import fathom.io.RegularFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.DoubleStream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/// Results that `bench --json` has written, with which later ones are compared.
public final class Baseline {
  /// The units in which more is better; in all others less is.
  private static final Set<String> RATES =
      Set.of("images/s", "characters/s", "GFLOP/s", "% of peak");

  /// A median that moves by less than this is noise whatever the runs say.
  private static final double LEAST = 1.05;

  private static final long MOST_BYTES = 16L << 20;

  private Baseline() {}

  /// What became of a figure.
  ///
  /// @param before the median in the baseline
  /// @param now the median of these runs
  /// @param ratio how many times faster it is now; below 1 if it is slower
  public record Change(
      String suite, String name, String unit, double before, double now, double ratio) {}

  /// The figures that changed beyond noise.
  ///
  /// @param compared the number of figures that stand in both
  public record Changes(int compared, List<Change> slower, List<Change> faster) {}

  /// Reads a file. Throws [BadFileException] if it is missing or is no answer of `bench --json`.
  public static List<Result> read(Path file) {
    return results(file, tree(file));
  }

  /// Reads a file. Throws [BadFileException] if it is missing or is no JSON.
  static JsonNode tree(Path file) {
    try {
      return Json.parse(RegularFile.text(file, MOST_BYTES));
    } catch (JacksonException e) {
      throw unreadable(file, e);
    }
  }

  /// Returns the results of a file's content. Throws [BadFileException] if it is no answer of
  /// `bench --json`.
  static List<Result> results(Path file, JsonNode tree) {
    try {
      JsonNode results = tree.path("results");
      if (!results.isArray()) {
        throw new BadFileException(
            file, "it has no list \"results\"; write it by: fathom bench SUITE --json > FILE");
      }
      var read = new ArrayList<Result>();
      for (JsonNode result : results) {
        read.add(result(result));
      }
      return read;
    } catch (JacksonException | IllegalArgumentException e) {
      throw unreadable(file, e);
    }
  }

  private static BadFileException unreadable(Path file, RuntimeException e) {
    return new BadFileException(file, "it is no answer of bench --json: " + e.getMessage(), e);
  }

  /// Reads a line. What is null in it only a peer gives.
  private static Result result(JsonNode line) {
    return new Result(
        text(line, "suite"),
        text(line, "name"),
        text(line, "unit"),
        Json.number(line.path("median")),
        Json.number(line.path("low")),
        Json.number(line.path("high")),
        line.path("peer").isString() ? line.path("peer").stringValue() : null,
        line.path("peerMedian").isNumber() ? line.path("peerMedian").doubleValue() : null,
        line.path("ratio").isNumber() ? line.path("ratio").doubleValue() : null);
  }

  private static String text(JsonNode line, String name) {
    if (!line.path(name).isString()) {
      throw new IllegalArgumentException("a line needs a text \"%s\": %s".formatted(name, line));
    }
    return line.path(name).stringValue();
  }

  /// Compares figures of one suite, name and unit. One has changed if the medians differ by more
  /// than 5 % and each lies outside of the other's lowest and highest run. If both have peers in
  /// common, Fathom must also have lost or gained 5 % against each of them, because another machine
  /// or another load moves the peers as well.
  public static Changes compare(List<Result> before, List<Result> now) {
    Map<String, List<Result>> earlier = byFigure(before);
    var slower = new ArrayList<Change>();
    var faster = new ArrayList<Change>();
    int compared = 0;
    for (var figure : byFigure(now).entrySet()) {
      List<Result> old = earlier.get(figure.getKey());
      if (old == null) {
        continue;
      }
      compared++;
      Result a = old.getFirst();
      Result b = figure.getValue().getFirst();
      double ratio = RATES.contains(b.unit()) ? b.median() / a.median() : a.median() / b.median();
      boolean apart = outside(a.median(), b) && outside(b.median(), a);
      var change = new Change(b.suite(), b.name(), b.unit(), a.median(), b.median(), ratio);
      if (apart
          && ratio < 1 / LEAST
          && againstPeers(old, figure.getValue()).allMatch(r -> r < 1 / LEAST)) {
        slower.add(change);
      } else if (apart
          && ratio > LEAST
          && againstPeers(old, figure.getValue()).allMatch(r -> r > LEAST)) {
        faster.add(change);
      }
    }
    return new Changes(compared, slower, faster);
  }

  private static boolean outside(double median, Result runs) {
    return median < runs.low() || median > runs.high();
  }

  /// How many times better the ratio to each peer is that both have figures of.
  private static DoubleStream againstPeers(List<Result> before, List<Result> now) {
    var ratios = new ArrayList<Double>();
    for (Result b : now) {
      for (Result a : before) {
        if (b.peer() != null
            && b.peer().equals(a.peer())
            && a.ratio() != null
            && b.ratio() != null) {
          ratios.add(b.ratio() / a.ratio());
        }
      }
    }
    return ratios.stream().mapToDouble(r -> r);
  }

  private static Map<String, List<Result>> byFigure(List<Result> results) {
    var figures = new LinkedHashMap<String, List<Result>>();
    for (Result result : results) {
      String key = result.suite() + "\n" + result.name() + "\n" + result.unit();
      figures.computeIfAbsent(key, _ -> new ArrayList<>()).add(result);
    }
    return figures;
  }
}
