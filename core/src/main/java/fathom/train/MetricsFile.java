package fathom.train;

import com.fasterxml.jackson.annotation.JsonProperty;
import fathom.io.AtomicFile;
import fathom.io.BadFileException;
import fathom.io.Json;
import fathom.io.RegularFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// The file `metrics.jsonl` of a run: a line of JSON for each record of [Metrics], in the order of
/// the steps. A task's figures have names that begin with `train` or `test`: `trainLoss`,
/// `testError`, `testIou`.
///
/// @param file the path of the file
/// @param usual the data that a line of an older version, which does not say it, was measured on
public record MetricsFile(Path file, Metrics.Split usual) {
  private static final long MOST_BYTES = 1 << 29;
  private static final String TRAIN = "train";
  private static final String TEST = "test";

  /// Returns the file in the folder of a run.
  public static MetricsFile in(Path folder, Metrics.Split usual) {
    return new MetricsFile(folder.resolve("metrics.jsonl"), usual);
  }

  /// Appends a line. Throws [BadFileException] if that is not possible.
  void append(Metrics metrics) {
    try {
      Files.writeString(file, line(metrics), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new BadFileException(file, "the metrics cannot be written; is the disk full?", e);
    }
  }

  /// Reads all lines, oldest first. A last line that was cut off when the run was killed is left
  /// out. Throws [BadFileException] if another line is damaged or out of order.
  public List<Metrics> read() {
    var all = new ArrayList<Metrics>();
    if (!Files.exists(file)) {
      return all;
    }
    long step = 0;
    int epoch = 0;
    List<String> lines = RegularFile.text(file, MOST_BYTES).lines().toList();
    for (int i = 0; i < lines.size(); i++) {
      try {
        Metrics line = parse(Json.parse(lines.get(i)));
        checkOrder(line, i + 1, step, epoch);
        step = line.step();
        epoch = line instanceof Metrics.Epoch ended ? ended.epoch() : epoch;
        all.add(line);
      } catch (JacksonException | IllegalArgumentException e) {
        if (i < lines.size() - 1) {
          throw new BadFileException(file, "line %s is not a line of metrics".formatted(i + 1), e);
        }
      }
    }
    return all;
  }

  /// Checks that lines are in the order of the steps and that every epoch ends once. `step` and
  /// `epoch` are those of the lines before line number `at`.
  private void checkOrder(Metrics line, int at, long step, int epoch) {
    if (line.step() < step || (line instanceof Metrics.Epoch ended && ended.epoch() <= epoch)) {
      throw new BadFileException(
          file,
          "lines are in the order of the steps, and an epoch has one, but line %s is of step %s%s after step %s and epoch %s; was something pasted or edited?"
              .formatted(
                  at,
                  line.step(),
                  line instanceof Metrics.Epoch ended ? " and epoch " + ended.epoch() : "",
                  step,
                  epoch));
    }
  }

  private Metrics parse(JsonNode line) {
    String kind = line.path("kind").asString("");
    return switch (kind) {
      case "epoch" -> {
        if (line instanceof ObjectNode epoch && !epoch.has("measuredOn")) {
          epoch.put("measuredOn", usual.toString());
        }
        Of<EpochLine> read = Of.line(line, EpochLine.class);
        EpochLine e = read.rest;
        yield new Metrics.Epoch(
            e.epoch,
            e.step,
            e.learningRate,
            read.train,
            read.test,
            e.seconds,
            e.examplesPerSecond,
            e.measuredOn);
      }
      case "layers" -> Json.read(line, Metrics.Layers.class);
      case "watch" -> Json.read(line, Metrics.Watch.class);
      case "final" -> {
        Of<FinalLine> read = Of.line(line, FinalLine.class);
        yield new Metrics.Final(read.rest.step, read.train, read.test, read.rest.seconds);
      }
      default ->
          throw new BadFileException(
              file, "there are no metrics of the kind \"%s\"".formatted(kind));
    };
  }

  /// The line of an epoch without the task's figures.
  private record EpochLine(
      int epoch,
      long step,
      @JsonProperty("rate") double learningRate,
      double seconds,
      double examplesPerSecond,
      Metrics.Split measuredOn) {}

  private record FinalLine(long step, double seconds) {}

  /// A line split into the task's figures and the rest.
  private record Of<T>(
      SequencedMap<String, Double> train, SequencedMap<String, Double> test, T rest) {
    static <T> Of<T> line(JsonNode line, Class<T> type) {
      SequencedMap<String, Double> train = measured(line, TRAIN);
      if (!train.containsKey(Metrics.LOSS)) {
        throw new IllegalArgumentException("every task measures trainLoss, but this has " + train);
      }
      return new Of<>(train, measured(line, TEST), Json.read(line, type));
    }

    private static SequencedMap<String, Double> measured(JsonNode line, String prefix) {
      var values = new LinkedHashMap<String, Double>();
      line.forEachEntry((name, value) -> {
        if (name.length() > prefix.length()
            && name.startsWith(prefix)
            && Character.isUpperCase(name.charAt(prefix.length()))) {
          String own = name.substring(prefix.length());
          values.put(
              own.substring(0, 1).toLowerCase(Locale.ROOT) + own.substring(1), Json.number(value));
        }
      });
      return values;
    }
  }

  private static String line(Metrics metrics) {
    ObjectNode line =
        switch (metrics) {
          case Metrics.Epoch e -> {
            ObjectNode of =
                Json.object(
                    new EpochLine(
                        e.epoch(),
                        e.step(),
                        e.learningRate(),
                        e.seconds(),
                        e.examplesPerSecond(),
                        e.measuredOn()));
            put(of, TRAIN, e.train());
            put(of, TEST, e.test());
            yield of;
          }
          case Metrics.Final f -> {
            ObjectNode of = Json.object(new FinalLine(f.step(), f.seconds()));
            put(of, TRAIN, f.train());
            put(of, TEST, f.test());
            yield of;
          }
          case Metrics.Layers layers -> Json.object(layers);
          case Metrics.Watch watch -> Json.object(watch);
        };
    return line.put("kind", metrics.getClass().getSimpleName().toLowerCase(Locale.ROOT)) + "\n";
  }

  private static void put(ObjectNode line, String prefix, SequencedMap<String, Double> values) {
    values.forEach((name, value) ->
        line.put(
            prefix + name.substring(0, 1).toUpperCase(Locale.ROOT) + name.substring(1), value));
  }

  /// Removes the lines that will be written again when the run continues after `step` steps.
  /// `batches` is the number of steps of an epoch now: if the data has grown, an epoch may end a
  /// second time.
  void truncate(long step, long batches) {
    var lines = new StringBuilder();
    List<Metrics> all = read();
    long judged = judged(all, step, batches);
    for (Metrics m : all) {
      boolean keep =
          switch (m) {
            case Metrics.Epoch epoch -> isKept(epoch, step, batches);
            case Metrics.Layers layers -> layers.step() < step;
            case Metrics.Watch watch -> watch.step() <= judged;
            case Metrics.Final _ -> false;
          };
      lines.append(keep ? line(m) : "");
    }
    AtomicFile.replace(file, lines.toString().getBytes(StandardCharsets.UTF_8));
  }

  /// Returns whether a run that continues after `step` steps, with epochs of `batches` steps, keeps
  /// the line of this epoch.
  public static boolean isKept(Metrics.Epoch epoch, long step, long batches) {
    return epoch.step() <= step && epoch.epoch() <= step / batches;
  }

  /// The last step up to `step` at which an epoch ended and was evaluated. The line of an epoch is
  /// the last one of its step, so all other lines of that step are complete.
  private static long judged(List<Metrics> all, long step, long batches) {
    return all.stream()
        .filter(m -> m instanceof Metrics.Epoch epoch && isKept(epoch, step, batches))
        .mapToLong(Metrics::step)
        .max()
        .orElse(0);
  }
}
