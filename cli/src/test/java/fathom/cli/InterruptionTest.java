package fathom.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.Layer;
import fathom.RandomKey;
import fathom.Scope;
import fathom.data.Normalization;
import fathom.infer.ModelCard;
import fathom.io.SafeTensors;
import fathom.net.Architecture;
import fathom.net.ImageShape;
import fathom.nn.Init;
import fathom.train.Weights;
import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import javax.tools.ToolProvider;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A training that is stopped from outside goes on as if it had not been.
class InterruptionTest {
  private static final List<String> RECIPE =
      List.of("--data", "digits", "--width", "4", "--epochs", "6", "--workers", "2", "--seed", "7");

  private static final String CLASS_PATH = System.getProperty("java.class.path");

  private static final int KILLS = Integer.getInteger("fathom.kills", 3);

  @TempDir private Path folder;

  @Test
  void killedOrInterruptedRunsEndWithTheSameWeights() throws Exception {
    Assumptions.assumeFalse(
        System.getProperty("os.name").startsWith("Windows"), "signals are POSIX's");
    Path whole = folder.resolve("whole");
    assertEquals(0, end(start("train", "resnet8", "--out", whole.toString())));
    byte[] expected = weights(whole);

    Path killed = folder.resolve("killed");
    Process first = start("train", "resnet8", "--out", killed.toString());
    awaitCheckpoint(killed, first);
    first.destroyForcibly();
    end(first);
    assertEquals(0, end(resume(killed)), "after kill -9");
    assertArrayEquals(expected, weights(killed), "after kill -9");

    Path interrupted = folder.resolve("interrupted");
    Process second = start("train", "resnet8", "--out", interrupted.toString());
    awaitCheckpoint(interrupted, second);
    signal(second, "-STOP"); // or it may end before the other process has started
    Process beside = resume(interrupted);
    assertEquals(Exit.USAGE, end(beside), "two trainings in one folder");
    assertTrue(
        Files.readString(log(beside)).contains("another training works in this folder"),
        Files.readString(log(beside)));
    boolean ignored = interruptsAreIgnored();
    signal(second, ignored ? "-TERM" : "-INT");
    signal(second, "-CONT");
    assertEquals(ignored ? Exit.TERMINATED : Exit.INTERRUPTED, end(second), "after Ctrl-C");
    assertTrue(
        Files.readString(log(second)).contains("fathom train --resume"),
        Files.readString(log(second)));
    assertEquals(0, end(resume(interrupted)), "after Ctrl-C");
    assertArrayEquals(expected, weights(interrupted), "after Ctrl-C");
  }

  /// Runs are killed at moments drawn at random, again and again until they end, three kills in
  /// all, or as many as `-Dfathom.kills` says: each ends with the weights of the run that nobody
  /// killed.
  @Test
  void killedAtAnyMomentItEndsWithTheSameWeights() throws Exception {
    assertNull(afterKills(KILLS, CLASS_PATH, InterruptionTest::training));
  }

  /// A fine-tuning has more to go on with: layers that are frozen, rates for each block, a new
  /// classifier, the average of the weights, and draws for images that are mixed.
  @Test
  void aFineTuningKilledAtAnyMomentEndsWithTheSameWeights() throws Exception {
    Path data = Files.createDirectories(folder.resolve("data"));
    idx(data, "train", 300);
    idx(data, "t10k", 50);
    Path weights = folder.resolve("weights.safetensors");
    var classes = List.of("one", "two", "three");
    var card =
        ModelCard.ofImages(
            "resnet8",
            new Architecture.Options(null, null, 4, null, null),
            new ImageShape(1, 28, 28),
            false,
            classes,
            Normalization.of(new float[] {0.5f}, new float[] {0.25f}));
    try (var _ = Scope.open()) {
      Layer net =
          Architecture.images("resnet8", card.options())
              .on(new ImageShape(1, 28, 28), classes.size())
              .build(Init.he(1));
      Weights.write(weights, net, card.metadata());
    }
    List<String> recipe =
        List.of(
            "train",
            "--weights=" + weights,
            "--data=" + data,
            "--freeze-until=layer2",
            "--layer-decay=0.5",
            "--ema=0.9",
            "--mixup=0.2",
            "--batch=32",
            "--epochs=6",
            "--workers=2",
            "--seed=7");
    assertNull(
        afterKills(
            KILLS,
            CLASS_PATH,
            run -> {
              var all = new ArrayList<>(recipe);
              all.add("--out=" + run);
              return all;
            }));
    Path whole = folder.resolve("whole");
    String said = Files.readString(folder.resolve("log0"));
    for (String part : List.of("classifier is new", "moving average", "images are mixed")) {
      assertTrue(said.contains(part), said);
    }
    assertFrozen(weights, whole.resolve("checkpoint.safetensors"));
  }

  /// What is frozen is as in the file, and what is not has learned.
  private static void assertFrozen(Path weights, Path checkpoint) {
    try (var before = SafeTensors.open(weights);
        var after = SafeTensors.open(checkpoint)) {
      for (String name : List.of("conv1.weight", "bn1.running_mean", "layer2.0.conv1.weight")) {
        assertEquals(
            name.startsWith("layer2"),
            before.tensor(name).bytes().mismatch(after.tensor(name).bytes()) >= 0,
            name);
      }
      assertNotEquals(before.shape("linear.weight"), after.shape("linear.weight"));
    }
  }

  /// The same kills find a writer that does not replace its file whole.
  @Test
  void aWriterInPlaceIsFoundOut() throws Exception {
    String found =
        afterKills(
            40, inPlaceWriter() + File.pathSeparator + CLASS_PATH, InterruptionTest::training);
    assertNotNull(found, "40 kills have not hit a file that is being written");
    assertTrue(found.contains(".safetensors") || found.contains("run.json"), found);
  }

  /// What came of so many kills: null if every run ended with the weights of the one that nobody
  /// killed, or else what was said or is wrong.
  private @Nullable String afterKills(
      int kills, String classPath, Function<Path, List<String>> training) throws Exception {
    Path whole = folder.resolve("whole");
    long begun = System.nanoTime();
    assertEquals(0, end(log(Cli.command(classPath, training.apply(whole)))));
    long usual =
        System.nanoTime() - begun; // that the moments lie in; less when the machine is freer
    byte[] expected = weights(whole);
    RandomKey moments = RandomKey.of(1, "kills");
    int killed = 0;
    int drawn = 0;
    for (int run = 0; killed < kills; run++) {
      Path path = folder.resolve("run" + run);
      boolean resumed = false;
      begun = System.nanoTime();
      Process process = log(Cli.command(classPath, training.apply(path)));
      while (killed < kills
          && !process.waitFor(
              (long) (usual * (0.2 + moments.uniform(drawn++))), TimeUnit.NANOSECONDS)) {
        process.destroyForcibly();
        end(process);
        killed++;
        boolean saved = Files.exists(path.resolve("checkpoint.safetensors"));
        if (!saved) {
          path = folder.resolve("run%s-after-%s".formatted(run, killed)); // nothing to go on with
        }
        resumed = saved;
        begun = System.nanoTime();
        process =
            log(
                Cli.command(
                    classPath,
                    saved ? List.of("train", "--resume", path.toString()) : training.apply(path)));
      }
      if (killed < kills && !resumed) {
        usual = Math.min(usual, System.nanoTime() - begun);
      }
      if (end(process) != 0) {
        return Files.readString(log(process));
      } else if (!Arrays.equals(expected, weights(path))) {
        return "%s: other weights after %s kills".formatted(path, killed);
      }
    }
    return null;
  }

  /// A folder with a class that takes the place of [fathom.io.AtomicFile] and writes in place, on a
  /// disk so slow that a large part of the training is spent in the middle of a file: that a kill
  /// falls there must not depend on how fast the rest is.
  private Path inPlaceWriter() throws IOException {
    Path source = folder.resolve("AtomicFile.java");
    Files.writeString(
        source,
        """
        package fathom.io;

        import java.io.*;
        import java.nio.file.Path;

        public final class AtomicFile {
          public interface Content {
            void writeTo(OutputStream out) throws IOException;
          }

          public static void replace(Path file, byte[] content) {
            replace(file, out -> out.write(content));
          }

          public static void replace(Path file, Content content) {
            var bytes = new ByteArrayOutputStream();
            try (var out = new FileOutputStream(file.toFile())) {
              content.writeTo(bytes);
              int half = bytes.size() / 2;
              out.write(bytes.toByteArray(), 0, half);
              Thread.sleep(1000);
              out.write(bytes.toByteArray(), half, bytes.size() - half);
            } catch (IOException | InterruptedException e) {
              throw new IllegalStateException(e);
            }
          }

          public static String reason(IOException e) {
            return e.toString();
          }
        }
        """);
    Path classes = folder.resolve("planted");
    int failures =
        ToolProvider.getSystemJavaCompiler()
            .run(null, null, null, "-d", classes.toString(), source.toString());
    assertEquals(0, failures, "the planted class is Java");
    return classes;
  }

  /// A limit on the size of files is a disk that is full after the first blocks of a checkpoint.
  @Test
  void onAFullDiskThePreviousCheckpointSurvives() throws Exception {
    Assumptions.assumeTrue(Files.isExecutable(Path.of("/bin/sh")), "ulimit is a shell's");
    Path run = folder.resolve("run");
    assertEquals(
        0,
        end(
            launch(
                List.of(
                    "train",
                    "resnet8",
                    "--data",
                    "digits",
                    "--width",
                    "8",
                    "--epochs",
                    "1",
                    "--out",
                    run.toString()))));
    byte[] before = Files.readAllBytes(run.resolve("checkpoint.safetensors"));
    assertTrue(before.length > 100_000, "the limit is below: " + before.length);
    var command =
        Cli.command(CLASS_PATH, List.of("train", "--resume", run.toString(), "--epochs", "2"));
    command.addAll(0, List.of("/bin/sh", "-c", "ulimit -f 100 && exec \"$@\"", "sh"));
    Process full = log(command);
    assertEquals(Exit.BAD_FILE, end(full), () -> "on a full disk");
    String said = Files.readString(log(full));
    assertTrue(said.contains("the previous file is intact"), said);
    assertArrayEquals(before, Files.readAllBytes(run.resolve("checkpoint.safetensors")));
    try (var files = Files.list(run)) {
      assertTrue(files.noneMatch(file -> file.toString().endsWith(".tmp")), "nothing is left");
    }
    assertEquals(0, end(resume(run)), "and goes on when there is room again");
  }

  @Test
  void theSecondInterruptStopsAtOnce() {
    var halted = new ArrayList<Integer>();
    var milliseconds = new AtomicLong(7);
    try (var interruption =
        new Interruption(() -> true, halted::add, () -> milliseconds.get() * 1_000_000)) {
      assertFalse(interruption.requested());
      interruption.signalled(Exit.INTERRUPTED);
      assertTrue(interruption.requested());
      assertEquals(Exit.INTERRUPTED, interruption.code());
      assertEquals(List.of(), halted, "the first one lets the training save");
      milliseconds.addAndGet(400);
      interruption.signalled(Exit.INTERRUPTED);
      assertEquals(List.of(), halted, "one signal may reach a process twice");
      milliseconds.addAndGet(200);
      interruption.signalled(Exit.TERMINATED);
      assertEquals(List.of(), halted, "a SIGTERM does not hurry what is being saved");
      interruption.signalled(Exit.INTERRUPTED);
      assertEquals(List.of(Exit.FAILED), halted, "which has not saved");
    }
  }

  /// The evaluation at the end of an epoch takes long here: the epoch is saved before it, and after
  /// the signal nothing is measured and no report is written.
  @Test
  void anEpochIsSavedBeforeItIsEvaluated() throws Exception {
    Assumptions.assumeFalse(
        System.getProperty("os.name").startsWith("Windows"), "signals are POSIX's");
    Path data = Files.createDirectories(folder.resolve("data"));
    idx(data, "train", 64);
    idx(data, "t10k", 20_000);
    Path run = folder.resolve("run");
    Process process =
        launch(
            List.of(
                "train",
                "resnet8",
                "--width",
                "8",
                "--data",
                data.toString(),
                "--batch",
                "64",
                "--epochs",
                "2",
                "--json",
                "-q",
                "--out",
                run.toString()));
    awaitCheckpoint(run, process);
    signal(process, "-TERM");
    assertEquals(Exit.TERMINATED, end(process));
    String said = Files.readString(log(process));
    if (said.contains("{\n")) {
      JsonNode answer =
          JsonMapper.shared()
              .readTree(said.substring(said.indexOf("{\n"), said.lastIndexOf('}') + 1));
      assertFalse(answer.path("finished").asBoolean(true), said);
      assertEquals(1, answer.path("step").asInt(), said);
      assertEquals(2, answer.path("steps").asInt(), said);
      for (String figure : List.of("count", "error", "crossEntropy", "trainError", "report")) {
        assertTrue(answer.path(figure).isNull(), figure + " is of the end: " + said);
      }
    } else { // a machine so busy that a batch of the evaluation takes seconds
      assertTrue(said.contains("step 1 is saved"), said);
    }
    assertFalse(Files.exists(run.resolve("report.html")), "no report");
    assertFalse(Files.exists(run.resolve("best.safetensors")), "the epoch was not judged");
    assertFalse(
        Files.readString(run.resolve("metrics.jsonl")).contains("\"kind\":\"epoch\""), said);
  }

  /// So many grey images of 28×28 in ten classes.
  private static void idx(Path folder, String part, int count) throws IOException {
    var images = ByteBuffer.allocate(16 + count * 784);
    images.putInt(0x803).putInt(count).putInt(28).putInt(28);
    var labels = ByteBuffer.allocate(8 + count);
    labels.putInt(0x801).putInt(count);
    for (int i = 0; i < count; i++) {
      labels.put((byte) (i % 10));
      for (int pixel = 0; pixel < 784; pixel++) {
        images.put((byte) (31 * i + 17 * pixel));
      }
    }
    Files.write(folder.resolve(part + "-images-idx3-ubyte"), images.array());
    Files.write(folder.resolve(part + "-labels-idx1-ubyte"), labels.array());
  }

  private static void signal(Process process, String name) throws Exception {
    new ProcessBuilder("kill", name, Long.toString(process.pid())).start().waitFor();
  }

  private final Map<Process, Path> logs = new HashMap<>();

  private Path log(Process process) {
    return Objects.requireNonNull(logs.get(process));
  }

  private Process resume(Path run) throws IOException {
    return launch(List.of("train", "--resume", run.toString()));
  }

  private Process start(String... args) throws IOException {
    var all = new ArrayList<>(List.of(args));
    all.addAll(RECIPE);
    return launch(all);
  }

  private static List<String> training(Path run) {
    var all = new ArrayList<>(List.of("train", "resnet8", "--out", run.toString()));
    all.addAll(RECIPE);
    return all;
  }

  private Process launch(List<String> args) throws IOException {
    return log(Cli.command(CLASS_PATH, args));
  }

  private Process log(List<String> command) throws IOException {
    Path log = folder.resolve("log" + logs.size());
    Process process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    logs.put(process, log);
    return process;
  }

  /// Jobs that a shell without job control starts in the background ignore SIGINT, and so do their
  /// children. SIGTERM goes the same way through the program, to another exit code.
  static boolean interruptsAreIgnored() throws IOException {
    return isIgnored(2);
  }

  /// Returns whether the process that started this one has told it to ignore a signal, as `nohup`
  /// does with SIGHUP.
  static boolean isIgnored(int signal) throws IOException {
    Path status = Path.of("/proc/self/status");
    if (!Files.exists(status)) {
      return false;
    }
    try (var lines = Files.lines(status)) {
      return lines
          .filter(line -> line.startsWith("SigIgn:"))
          .anyMatch(line ->
              (Long.parseUnsignedLong(line.substring(7).strip(), 16) & (1L << (signal - 1))) != 0);
    }
  }

  private int end(Process process) throws Exception {
    if (!process.waitFor(120, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new AssertionError("still running after 120 s:\n" + Files.readString(log(process)));
    }
    return process.exitValue();
  }

  private void awaitCheckpoint(Path run, Process process) throws Exception {
    while (!Files.exists(run.resolve("checkpoint.safetensors"))) {
      assertTrue(process.isAlive(), () -> "ended before its first checkpoint");
      Thread.sleep(5);
    }
  }

  /// Weights, buffers and velocity: everything behind the header, which also holds the time it
  /// took.
  private static byte[] weights(Path run) throws IOException {
    byte[] file = Files.readAllBytes(run.resolve("checkpoint.safetensors"));
    long header = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong();
    return Arrays.copyOfRange(file, (int) (8 + header), file.length);
  }
}
