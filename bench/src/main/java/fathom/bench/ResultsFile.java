package fathom.bench;

import fathom.io.AtomicFile;
import fathom.io.BadFileException;
import fathom.io.Json;
import fathom.train.Machine;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// The results of a long benchmark, written after each of its pieces, so that one that was broken
/// off goes on where it stood. The file has the form of `bench --json`, and what [Baseline] reads.
public final class ResultsFile {
  private static final String PROCESSOR = "processor";
  private static final String VERSION = "version";
  private static final String PIECES = "pieces";

  private final Path file;
  private final List<String> pieces = new ArrayList<>();
  private final List<Result> results = new ArrayList<>();

  private ResultsFile(Path file) {
    this.file = file;
  }

  /// Opens a file, which need not exist. Throws [BadFileException] if it exists and is none of
  /// these, or is of another version or processor, because ratios hold on one machine only.
  public static ResultsFile open(Path file) {
    var opened = new ResultsFile(file);
    if (Files.exists(file)) {
      JsonNode top = Baseline.tree(file);
      opened.results.addAll(Baseline.results(file, top));
      check(file, top, PROCESSOR, Machine.processorName());
      check(file, top, VERSION, Machine.VERSION);
      top.path(PIECES).forEach(piece -> opened.pieces.add(piece.asString()));
    }
    return opened;
  }

  private static void check(Path file, JsonNode top, String name, String here) {
    String there = top.path(name).asString("");
    if (!there.equals(here)) {
      throw new BadFileException(
          file,
          "its results are of the %s \"%s\", and here it is \"%s\"; name another file"
              .formatted(name, there, here));
    }
  }

  /// Returns whether the piece of this name was measured.
  public boolean has(String piece) {
    return pieces.contains(piece);
  }

  /// Adds the results of a piece and writes the file.
  public void add(String piece, List<Result> more) {
    pieces.add(piece);
    results.addAll(more);
    var content = new LinkedHashMap<>(heading(results));
    content.put(PIECES, pieces);
    AtomicFile.replace(file, Json.pretty(content).getBytes(StandardCharsets.UTF_8));
  }

  /// Returns the line of the same figure whose peer is the best, so that its ratio is the least, or
  /// null if the figure has no ratio.
  public static @Nullable Result best(Result line, List<Result> results) {
    return results.stream()
        .filter(r ->
            r.suite().equals(line.suite())
                && r.name().equals(line.name())
                && r.unit().equals(line.unit())
                && r.ratio() != null)
        .min(Comparator.comparingDouble(r -> Objects.requireNonNull(r.ratio())))
        .orElse(null);
  }

  public List<Result> results() {
    return List.copyOf(results);
  }

  /// What stands beside results: the throughput of large matrix products in GFLOP/s, as far as a
  /// suite measured it, the processor, the version and the date.
  public static Map<String, Object> heading(List<Result> results) {
    var heading = new LinkedHashMap<String, Object>();
    Map<String, Double> peak =
        results.stream()
            .filter(r -> r.unit().equals("GFLOP/s"))
            .findFirst()
            .map(r -> Map.of("gflops", r.median()))
            .orElse(Map.of());
    heading.put("peak", peak);
    heading.put("results", results);
    heading.put(PROCESSOR, Machine.processorName());
    heading.put(VERSION, Machine.VERSION);
    heading.put("date", LocalDate.now(ZoneId.systemDefault()).toString());
    return heading;
  }
}
