package fathom.cli;

import fathom.data.Data;
import fathom.data.DataIdentity;
import fathom.io.BadFileException;
import fathom.io.Json;
import fathom.parallel.Launch;
import fathom.parallel.Processes;
import fathom.run.Recipe;
import fathom.run.Run;
import fathom.train.Machine;
import fathom.train.Position;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.Supplier;
import picocli.CommandLine.Option;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// The options of a training over processes, and how these agree on their run before they begin.
final class ProcessOptions {
  private static final String RUN = "run";
  private static final int LOOKS = 50;
  private static final int LOOK_MILLIS = 100;

  /// What the processes may have otherwise: where the data is on each host.
  private static final List<String> OF_EACH = List.of("data");

  /// What a run that goes on may have otherwise than before.
  private static final List<String> OF_EACH_START =
      List.of("data", "workers", "processes", "recompute");

  @OnResume
  @Rare
  @Option(
      names = "--peer-timeout",
      paramLabel = "SECONDS",
      description =
          "With several processes: how long to wait for one that does not answer, 1 to 300. "
              + "Default: 30. Three times as long for one to start.")
  private double peerTimeout = Processes.USUAL_TIMEOUT.toSeconds();

  @Rare
  @Option(
      names = "--sync-bn",
      description =
          "With several processes: batch norm's statistics over the batch of all of them. "
              + "Default: over that of each process.")
  private boolean syncBn;

  Recipe of(Recipe recipe, Launch launch) {
    return recipe.executed(execution -> execution.over(launch.size(), syncBn));
  }

  /// Meets the other processes of a launch, and says so.
  Processes join(Launch launch, Output output) {
    if (launch.rank() > 0) {
      output.onlyErrors();
    }
    output.remark("fathom: started by " + launch);
    if (launch.size() > 1) {
      output.remark(
          "fathom: the processes talk in plain text, and port %s listens on all interfaces: only for"
                  .formatted(launch.port())
              + " a private network");
    }
    return output.usage(
        () -> Processes.join(launch, Duration.ofMillis(Math.round(1000 * peerTimeout))));
  }

  /// Returns the run in `folder`, which rank 0 writes or goes on with, and the others read when it
  /// is there. Nothing is written unless all have the same recipe and data.
  static Run agreed(
      Processes processes,
      Path folder,
      Recipe recipe,
      Data data,
      Output output,
      Supplier<Run> run) {
    if (processes.size() == 1) {
      return run.get();
    }
    var difference = processes.compare(facts(recipe, data));
    if (difference != null && difference.fact().startsWith("data")) {
      throw new BadFileException(Path.of(data.name()), difference.toString());
    } else if (difference != null) {
      throw output.refused(difference.toString());
    }
    if (processes.rank() == 0) {
      Run written = run.get();
      processes.publish(RUN, stamp(written));
      return written;
    }
    String stamp = processes.published(RUN);
    for (int look = 0; look < LOOKS; look++) {
      if (Run.isIn(folder) && stamp(Run.open(folder)).equals(stamp)) {
        return Run.open(folder);
      }
      try {
        Thread.sleep(LOOK_MILLIS); // a network's file system may take its time
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        break;
      }
    }
    throw new BadFileException(
        folder,
        "rank 0 has its run in this folder, but rank %s does not see it there: the folder (`out`) must be on a file system that all hosts share"
            .formatted(processes.rank()));
  }

  /// What tells a run and its position from others.
  private static String stamp(Run run) {
    long step = Files.exists(run.checkpoint()) ? Position.step(run.checkpoint()) : 0;
    return "%s at step %s by %s"
        .formatted(run.info().started(), step, Json.text(run.recipe()).hashCode());
  }

  private static SequencedMap<String, String> facts(Recipe recipe, Data data) {
    var facts = new LinkedHashMap<String, String>();
    facts.put("Fathom's version", Machine.version());
    decisions(recipe, OF_EACH).forEach((name, value) -> facts.put("`" + name + "`", value));
    for (DataIdentity.Part part : data.identity().parts()) {
      facts.put("data: " + part.name(), "%s, %s".formatted(part.count(), part.fingerprint()));
    }
    facts.put("data: classes", String.join(" ", data.classes()));
    return facts;
  }

  /// The decisions of a recipe, each in its own entry.
  private static SequencedMap<String, String> decisions(Recipe recipe, List<String> without) {
    var all = new LinkedHashMap<String, String>();
    ObjectNode object = Json.object(recipe);
    object.remove(without);
    flatten(object, "", all);
    return all;
  }

  private static void flatten(ObjectNode object, String path, SequencedMap<String, String> all) {
    for (String name : object.propertyNames()) {
      JsonNode value = object.path(name);
      if (value instanceof ObjectNode inner) {
        flatten(inner, path + name + ".", all);
      } else {
        all.put(path + name, value.isValueNode() ? value.asString() : value.toString());
      }
    }
  }

  /// Returns the run in `folder` as it goes on under a launcher, which starts the same command
  /// again after a failure. Throws [BadFileException] unless it is of this very training.
  static Run goingOn(Path folder, Recipe recipe, Data data, Output output) {
    Run run = Run.open(folder);
    var before = decisions(run.recipe(), OF_EACH_START);
    var now = decisions(recipe, OF_EACH_START);
    for (String name : now.sequencedKeySet()) {
      String was = before.getOrDefault(name, "nothing");
      String is = now.getOrDefault(name, "nothing");
      if (!was.equals(is)) {
        throw new BadFileException(
            folder,
            "under a launcher a training goes on in its folder, but this folder has another one: `%s` is %s there, and %s was given; give another folder (`out`)"
                .formatted(name, was, is));
      }
    }
    if (!Files.exists(run.checkpoint())) {
      output.remark(
          "fathom: the run in %s has no checkpoint yet and starts anew".formatted(folder));
      return run.withRecipe(recipe);
    }
    output.remark(
        "fathom: going on with the run in %s from step %s"
            .formatted(folder, Position.step(run.checkpoint())));
    tellOfSums(run.recipe(), recipe, output);
    return run.goOn(recipe, data, false);
  }

  /// Says that sums are rounded otherwise than before, if they are.
  static void tellOfSums(Recipe before, Recipe now, Output output) {
    int was = before.execution().processes();
    int is = now.execution().processes();
    if (before.workers() != now.workers() && was == is) {
      output
          .err()
          .println(
              "fathom: the run had %s workers and goes on with %s: sums are rounded otherwise, so it is not bit-exact"
                  .formatted(before.workers(), now.workers()));
    } else if (was != is) {
      output
          .err()
          .println(
              "fathom: the run had %s with %s each and goes on with %s with %s each: sums are rounded otherwise, so it is not bit-exact"
                  .formatted(
                      counted(was, "process", "processes"),
                      counted(before.workers(), "worker", "workers"),
                      counted(is, "process", "processes"),
                      counted(now.workers(), "worker", "workers")));
    }
  }

  private static String counted(int count, String one, String more) {
    return "%s %s".formatted(count, count == 1 ? one : more);
  }
}
