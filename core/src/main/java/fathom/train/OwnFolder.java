package fathom.train;

import fathom.io.AtomicFile;
import fathom.io.BadFileException;
import fathom.io.Json;
import fathom.io.RegularFile;
import fathom.task.Task;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/// The folder of a training that a program started. It has checkpoints and metrics, like the folder
/// of a run of the command line, and `training.json`, which describes the decisions that determine
/// the weights. Net, task and data come from the program; a training continues only with the same
/// decisions.
final class OwnFolder {
  private static final int FORMAT = 1;
  private static final String TUNING = "tuning";
  private static final String EMA = "ema";
  private static final long MOST_BYTES = 1 << 20;

  private final Path folder;

  private OwnFolder(Path folder) {
    this.folder = folder;
  }

  /// Creates the folder if need be. Throws [BadFileException] if that is not possible.
  static OwnFolder at(Path folder) {
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new BadFileException(
          folder,
          "the folder of the training cannot be made (%s); give another path"
              .formatted(AtomicFile.reason(e)),
          e);
    }
    return new OwnFolder(folder);
  }

  RunLock lock() {
    return RunLock.of(folder);
  }

  MetricsFile metrics() {
    return MetricsFile.in(folder, Metrics.Split.TEST);
  }

  Recorder recorder() {
    return new Recorder(
        folder,
        metrics(),
        Recording.NONE,
        Map.of("fathom.source", Machine.here().source()),
        new LastSave());
  }

  /// Returns what has been trained so far with this plan and task; in a new folder it writes the
  /// description and returns [Training.Past#NONE]. Throws [BadFileException], with nothing written,
  /// if the folder holds another training.
  Training.Past past(Plan plan, Task<?> task) {
    Path file = folder.resolve("training.json");
    SequencedMap<String, Object> now = decisions(plan, task);
    if (Files.exists(file)) {
      check(file, Json.object(now));
    } else if (Files.isRegularFile(folder.resolve("run.json"))) {
      throw new BadFileException(
          folder, "there is a run of the command line in this folder; give another one");
    } else {
      AtomicFile.replace(file, Json.pretty(now).getBytes(StandardCharsets.UTF_8));
    }
    Path checkpoint = Recorder.checkpoint(folder);
    if (!Files.exists(checkpoint)) {
      return Training.Past.NONE;
    }
    long step = Position.step(checkpoint);
    return new Training.Past(
        checkpoint,
        metrics().read().stream()
            .filter(line -> line instanceof Metrics.Epoch && line.step() <= step)
            .map(Metrics.Epoch.class::cast)
            .toList(),
        false);
  }

  /// All decisions but the numbers of epochs and of workers, which may change.
  private static SequencedMap<String, Object> decisions(Plan plan, Task<?> task) {
    var decisions = new LinkedHashMap<String, Object>();
    decisions.put("format", FORMAT);
    decisions.put("task", task.name());
    decisions.put("optimizer", described(plan.optimizer()));
    decisions.put("schedule", described(plan.schedule()));
    decisions.put("clip", plan.clip());
    decisions.put("batch", plan.batch());
    decisions.put("seed", plan.seed());
    if (!plan.tuning().equals(Tuning.NONE)) {
      decisions.put(TUNING, plan.tuning().toString());
    }
    if (plan.ema() > 0) {
      decisions.put(EMA, plan.ema());
    }
    return decisions;
  }

  /// A description to compare. A record describes itself; anything else, such as a lambda, cannot
  /// be compared.
  private static String described(Object spec) {
    return spec instanceof Record ? spec.toString() : "of the program";
  }

  private static void check(Path file, JsonNode now) {
    JsonNode before;
    try {
      before = Json.parse(RegularFile.text(file, MOST_BYTES));
    } catch (JacksonException e) {
      throw new BadFileException(file, "this is not the description of a training", e);
    }
    var all = new LinkedHashSet<>(now.propertyNames());
    all.addAll(List.of(TUNING, EMA)); // which are not written down if there is none
    for (String decision : all) {
      String was = before.path(decision).asString("nothing");
      String is = now.path(decision).asString("nothing");
      if (!was.equals(is)) {
        throw new BadFileException(
            file,
            "the training in this folder goes on as it began, but %s was %s and is %s now; give another folder, or what it was"
                .formatted(decision, was, is));
      }
    }
  }
}
