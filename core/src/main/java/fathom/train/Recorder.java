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

/// Writes what a training leaves in a folder: its checkpoint, that of the best epoch, the metrics,
/// what is watched of the layers, events for TensorBoard, and what the task adds to the report.
///
/// At the end of an epoch the checkpoint is written first. The line of the epoch is written last,
/// when all else of it is: a run that is killed on the way does it again, and a run that goes on
/// from a checkpoint of an epoch without a line evaluates it first.
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
  private long lastStepNanos = LastSave.SLOW_NANOS; // of the first one nothing is known
  private long stepBegan;

  /// @param card what every checkpoint says of its net
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

  public static Path checkpoint(Path folder) {
    return folder.resolve("checkpoint.safetensors");
  }

  public static Path best(Path folder) {
    return folder.resolve("best.safetensors");
  }

  public static Path events(Path folder) {
    return folder.resolve("tensorboard");
  }

  /// What was watched of the last step is for the line of its epoch.
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
      long next = evaluated ? now.step() + 1 : now.step(); // the first of which there is something
      board = new TensorBoard(events(folder), now.step() == 0 ? 0 : next);
      if (now.step() == 0) {
        board.images(now.preview());
      }
    }
  }

  /// What a training writes at its end.
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

  /// A step that may take long is offered to be saved from outside.
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

  /// The result is written down as soon as it is known: what follows it may need more memory.
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
