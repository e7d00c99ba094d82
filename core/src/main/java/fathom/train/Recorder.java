package fathom.train;

import fathom.io.BadFileException;
import fathom.io.Json;
import fathom.io.SafeTensors;
import fathom.task.AnswersFile;
import fathom.task.SectionsFile;
import fathom.train.Recording.Quantity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;

/// Writes the files of a training into a folder: its checkpoint, that of the best epoch, the
/// metrics, what is watched of the layers, events for TensorBoard, and the task's sections of the
/// report.
///
/// At the end of an epoch the checkpoint is written first, and the line of the epoch last, when all
/// other files of the epoch are complete. A run that is killed in between repeats the rest: a run
/// that continues from a checkpoint of an epoch without a line evaluates that epoch first.
public final class Recorder implements Listener {
  private static final String WATCH = "epoch.watch";

  private final Path folder;
  private final MetricsFile metrics;
  private final Recording recording;
  private final Map<String, String> card;
  private final LastSave lastSave;
  private @Nullable TensorBoard board;
  private @Nullable LayerWatch watching;
  private Metrics.@Nullable Watch watched;
  private long lastStepNanos = LastSave.SLOW_NANOS; // the first step may be slow
  private long stepBegan;

  /// Makes a recorder.
  ///
  /// @param folder the folder of the run
  /// @param metrics the file of the metrics in that folder
  /// @param recording what to record besides the learning curves
  /// @param card the texts about the net that every checkpoint gets
  /// @param lastSave the way to save from another thread during a long step
  public Recorder(
      Path folder,
      MetricsFile metrics,
      Recording recording,
      Map<String, String> card,
      LastSave lastSave) {
    this.folder = folder;
    this.metrics = metrics;
    this.recording = recording;
    this.card = card;
    this.lastSave = lastSave;
  }

  /// Returns the path of the checkpoint in the folder of a run.
  public static Path checkpoint(Path folder) {
    return folder.resolve("checkpoint.safetensors");
  }

  /// Returns the path of the weights of the best epoch in the folder of a run.
  public static Path best(Path folder) {
    return folder.resolve("best.safetensors");
  }

  /// Returns the path of the folder for TensorBoard in the folder of a run.
  public static Path events(Path folder) {
    return folder.resolve("tensorboard");
  }

  /// If the last epoch has not been evaluated, what was watched in its last step is read back from
  /// the checkpoint, because it belongs to the line of that epoch.
  @Override
  public void begin(Moment now, boolean evaluated) {
    watched = evaluated ? null : watched(checkpoint(folder));
    deleteEnd();
    metrics.truncate(now.step(), now.steps() / now.epochs());
    lastSave.begin(now.step());
    if (now.step() == 0) {
      layers(now);
    }
    if (recording.tensorboard() && (now.step() < now.steps() || !evaluated)) {
      long next = evaluated ? now.step() + 1 : now.step(); // the first step that will be recorded
      board = new TensorBoard(events(folder), now.step() == 0 ? 0 : next);
      if (now.step() == 0) {
        board.images(now.preview());
      }
    }
  }

  /// Deletes the files that a training writes at its end.
  private void deleteEnd() {
    for (Path file : List.of(AnswersFile.in(folder), SectionsFile.in(folder))) {
      try {
        Files.deleteIfExists(file);
      } catch (IOException e) {
        throw new BadFileException(file, "it cannot be deleted; check permissions", e);
      }
    }
  }

  private static Metrics.@Nullable Watch watched(Path checkpoint) {
    if (!Files.exists(checkpoint)) {
      return null;
    }
    try (var stored = SafeTensors.open(checkpoint)) {
      String json = stored.metadata().get(WATCH);
      return json == null ? null : Json.read(Json.parse(json), Metrics.Watch.class);
    } catch (JacksonException | IllegalArgumentException e) {
      throw new BadFileException(checkpoint, "%s is no line of metrics".formatted(WATCH), e);
    }
  }

  /// Offers a step that may take long to be saved from another thread.
  @Override
  public void before(Moment now) {
    stepBegan = System.nanoTime();
    watched = now.endsEpoch(now.step()) ? null : watched;
    if (lastStepNanos >= LastSave.SLOW_NANOS && now.storesAlone()) {
      lastSave.offer(now.later(checkpoint(folder), texts()));
    }
  }

  @Override
  public void gradients(Moment now) {
    lastSave.withdraw();
    if (!recording.watch().isEmpty() && now.endsEpoch(now.step() + 1)) {
      watching = new LayerWatch(now.net(), recording.watch());
    }
  }

  @Override
  public void moved(Moment now) {
    if (watching != null) {
      watched = watching.moved(now.step() + 1);
      watching = null;
    }
  }

  @Override
  public void step(Moment now) {
    lastStepNanos = System.nanoTime() - stepBegan;
    lastSave.made(now.step());
  }

  @Override
  public void save(Moment now) {
    lastSave.checkpoint(() -> now.write(checkpoint(folder), texts()));
  }

  private Map<String, String> texts() {
    var texts = new LinkedHashMap<>(card);
    if (watched != null) {
      texts.put(WATCH, Json.object(watched).toString());
    }
    return texts;
  }

  @Override
  public void epoch(Moment now, Metrics.Epoch epoch, boolean isBest) {
    if (isBest) {
      now.writeWeights(best(folder), card);
    }
    if (watched != null) {
      metrics.append(withResponses(now, watched));
    }
    if (board != null) {
      board.epoch(epoch, now.net());
    }
    metrics.append(epoch);
    watched = null;
  }

  private Metrics.Watch withResponses(Moment now, Metrics.Watch watch) {
    Metrics.Layers layers =
        recording.watch().contains(Quantity.RESPONSES) ? LayerReport.of(now) : null;
    return layers == null ? watch : watch.withResponses(layers.responses());
  }

  /// Writes the result as soon as it is known, because what follows may need more memory.
  @Override
  public void end(Moment now, Outcome outcome) {
    if (outcome.training() != null) {
      var test = outcome.test();
      metrics.append(
          new Metrics.Final(
              now.step(),
              outcome.training().values(),
              test == null ? new LinkedHashMap<>() : test.values(),
              now.seconds()));
      layers(now);
      now.writeTask(folder);
      if (!now.sections().isEmpty()) {
        SectionsFile.write(folder, now.sections());
      }
    }
  }

  private void layers(Moment now) {
    Metrics.Layers layers = LayerReport.of(now);
    if (layers != null) {
      metrics.append(layers);
    }
  }
}
