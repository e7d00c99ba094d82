package fathom.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.run.Run;
import fathom.train.Position;
import java.io.File;
import java.io.IOException;
import java.net.ServerSocket;
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
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Trainings over processes of which one is killed, stopped, never started or given something else:
/// all others end with the exit code 4 and its rank, and what was saved goes on. With
/// `-Dfathom.long` each happens ten times.
class LostProcessesTest {
  private static final String CLASS_PATH = System.getProperty("java.class.path");
  private static final int TIMES = Boolean.getBoolean("fathom.long") ? 10 : 1;

  private static final List<String> RECIPE =
      List.of("train resnet8 --data digits --width 4 --epochs 6 --workers 1 --seed 7".split(" "));

  @TempDir private Path folder;

  private final Map<Process, Path> logs = new HashMap<>();

  @BeforeAll
  static void signalsArePosix() {
    Assumptions.assumeFalse(
        System.getProperty("os.name").startsWith("Windows"), "signals are POSIX's");
  }

  @AfterEach
  void endAll() {
    logs.keySet().forEach(Process::destroyForcibly);
  }

  // ---- One is lost

  @ParameterizedTest
  @CsvSource({"-KILL, 1, 2", "-STOP, 1, 2", "-KILL, 0, 2", "-STOP, 0, 2", "-KILL, 1, 3"})
  void theOthersEndAndNameTheOneThatIsLost(String signal, int rank, int size) throws Exception {
    for (int time = 0; time < TIMES; time++) {
      Path run = folder.resolve("run" + time);
      List<Process> all = start(size, with("--out", run.toString(), "--peer-timeout", "6"));
      awaitCheckpoint(run, all.getFirst());
      signal(all.get(rank), signal);
      for (int other = 0; other < size; other++) {
        if (other != rank) {
          assertEquals(Exit.NATIVE, end(all.get(other)), () -> said(all));
          assertTrue(said(all.get(other)).contains("rank " + rank), said(all.get(other)));
          assertTrue(said(all.get(other)).contains("lost"), said(all.get(other)));
        }
      }
      if (signal.equals("-STOP")) {
        signal(all.get(rank), "-CONT");
        assertEquals(Exit.NATIVE, end(all.get(rank)), "who wakes up too late ends too");
      }
      assertTrue(Position.step(Run.open(run).checkpoint()) > 0, "what was saved is there");
    }
  }

  /// The same command again goes on from the checkpoint, bit by bit with as many processes.
  @Test
  void theSameCommandGoesOn() throws Exception {
    Path whole = folder.resolve("whole");
    for (Process each : start(2, with("--out", whole.toString()))) {
      assertEquals(Exit.DONE, end(each), said(each));
    }
    Path run = folder.resolve("run");
    List<Process> first = start(2, with("--out", run.toString(), "--peer-timeout", "6"));
    awaitCheckpoint(run, first.getFirst());
    signal(first.get(1), "-KILL");
    assertEquals(Exit.NATIVE, end(first.getFirst()), said(first.getFirst()));
    Path fewer = folder.resolve("fewer");
    copy(run, fewer);
    List<Process> again = start(2, with("--out", run.toString()));
    for (Process each : again) {
      assertEquals(Exit.DONE, end(each), said(each));
    }
    assertTrue(said(again.getFirst()).contains("going on with the run"), said(again.getFirst()));
    assertFalse(said(again.getFirst()).contains("not bit-exact"), said(again.getFirst()));
    assertArrayEquals(weights(whole), weights(run));

    Process alone = start(1, with("--out", fewer.toString())).getFirst();
    assertEquals(Exit.DONE, end(alone), said(alone));
    assertTrue(said(alone).contains("had 2 processes with 1 worker each"), said(alone));
    assertTrue(said(alone).contains("not bit-exact"), said(alone));
    Process other = start(1, with("--out", run.toString(), "--batch", "32")).getFirst();
    assertEquals(Exit.BAD_FILE, end(other), said(other));
    assertTrue(said(other).contains("--batch is 64 there, and 32 was given"), said(other));
  }

  @Test
  void whoNeverStartsIsNamed() throws Exception {
    for (int time = 0; time < TIMES; time++) {
      String out = folder.resolve("run" + time).toString();
      Process alone = launch(0, 2, port(), with("--out", out, "--peer-timeout", "2"));
      assertEquals(Exit.NATIVE, end(alone), said(alone));
      assertTrue(said(alone).contains("rank 1 has not started"), said(alone));
      assertFalse(Files.exists(Path.of(out)), "nothing was written");
    }
  }

  // ---- They have something else to do

  @Test
  void anotherRecipeIsRefusedByAllWithBothValues() throws Exception {
    for (int time = 0; time < TIMES; time++) {
      int port = port();
      String out = folder.resolve("run" + time).toString();
      Process one = launch(0, 2, port, with("--out", out));
      Process two = launch(1, 2, port, with("--out", out, "--batch", "32"));
      for (Process each : List.of(one, two)) {
        assertEquals(Exit.USAGE, end(each), said(each));
        assertTrue(said(each).contains("--batch is 64 in rank 0 and 32 in rank 1"), said(each));
      }
      assertFalse(Files.exists(Path.of(out)), "nothing was written");
    }
  }

  @Test
  void otherDataIsRefusedByAllWithBothValues() throws Exception {
    Path one = Files.writeString(folder.resolve("one.txt"), "the cat sat. ".repeat(500));
    Path two = Files.writeString(folder.resolve("two.txt"), "the cat sat. ".repeat(501));
    int port = port();
    String out = folder.resolve("run").toString();
    var all =
        List.of(
            launch(0, 2, port, List.of("train", "rnn", "--data", "text:" + one, "--out", out)),
            launch(1, 2, port, List.of("train", "rnn", "--data", "text:" + two, "--out", out)));
    for (Process each : all) {
      assertEquals(Exit.BAD_FILE, end(each), said(each));
      assertTrue(said(each).contains("data: train is 5850"), said(each));
    }
  }

  @Test
  void withoutAFolderEachWouldChooseItsOwn() throws Exception {
    Process alone = launch(0, 2, port(), RECIPE);
    assertEquals(Exit.USAGE, end(alone), said(alone));
    assertTrue(said(alone).contains("give --out"), said(alone));
  }

  // ---- Under torchrun

  /// A process is killed, torchrun starts all again, and they go on to the weights of a training
  /// that nobody killed.
  @Test
  void torchrunStartsThemAgainAndTheyGoOn() throws Exception {
    String torchrun =
        Arrays.stream(
                Objects.requireNonNullElse(System.getenv("PATH"), "").split(File.pathSeparator))
            .map(path -> path + "/torchrun")
            .filter(path -> Files.isExecutable(Path.of(path)))
            .findFirst()
            .orElse("");
    Assumptions.assumeFalse(torchrun.isEmpty(), "torchrun is not on the PATH");
    Path whole = folder.resolve("whole");
    Process undisturbed = log(torchrun(torchrun, whole), Map.of());
    assertEquals(0, end(undisturbed), said(undisturbed));
    Path run = folder.resolve("run");
    Process killed = log(torchrun(torchrun, run), Map.of());
    awaitCheckpoint(run, killed);
    ProcessHandle last =
        killed
            .descendants()
            .filter(each ->
                each.info().arguments().stream()
                    .flatMap(Stream::of)
                    .anyMatch("fathom.cli.Main"::equals))
            .reduce((_, each) -> each)
            .orElseThrow();
    assertTrue(last.destroyForcibly());
    assertEquals(0, end(killed), said(killed));
    assertTrue(said(killed).contains("going on with the run"), said(killed));
    assertArrayEquals(weights(whole), weights(run));
  }

  private static List<String> torchrun(String torchrun, Path run) {
    var command =
        new ArrayList<>(
            List.of(
                torchrun, "--standalone", "--nproc-per-node=2", "--max-restarts=2", "--no-python"));
    command.addAll(Cli.command(CLASS_PATH, with("--out", run.toString())));
    return command;
  }

  // ---- Processes

  private static List<String> with(String... more) {
    return Stream.concat(RECIPE.stream(), Stream.of(more)).toList();
  }

  private List<Process> start(int size, List<String> args) throws IOException {
    int port = port();
    var all = new ArrayList<Process>();
    for (int rank = 0; rank < size; rank++) {
      all.add(launch(rank, size, port, args));
    }
    return all;
  }

  private Process launch(int rank, int size, int port, List<String> args) throws IOException {
    return log(
        Cli.command(CLASS_PATH, args),
        Map.of(
            "RANK", Integer.toString(rank),
            "WORLD_SIZE", Integer.toString(size),
            "MASTER_ADDR", "127.0.0.1",
            "MASTER_PORT", Integer.toString(port)));
  }

  private Process log(List<String> command, Map<String, String> environment) throws IOException {
    Path log = folder.resolve("log" + logs.size());
    var builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
    builder.environment().putAll(environment);
    Process process = builder.start();
    logs.put(process, log);
    return process;
  }

  private static int port() throws IOException {
    try (var free = new ServerSocket(0)) {
      return free.getLocalPort();
    }
  }

  private String said(Process process) {
    try {
      return Files.readString(Objects.requireNonNull(logs.get(process)));
    } catch (IOException e) {
      return e.toString();
    }
  }

  private String said(List<Process> all) {
    return String.join("\n----\n", all.stream().map(this::said).toList());
  }

  private static void signal(Process process, String name) throws Exception {
    new ProcessBuilder("kill", name, Long.toString(process.pid())).start().waitFor();
  }

  private int end(Process process) throws Exception {
    if (!process.waitFor(240, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new AssertionError("still running after 240 s:\n" + said(process));
    }
    return process.exitValue();
  }

  private void awaitCheckpoint(Path run, Process process) throws Exception {
    while (!Files.exists(run.resolve("checkpoint.safetensors"))) {
      assertTrue(process.isAlive(), () -> "ended before its first checkpoint: " + said(process));
      Thread.sleep(5);
    }
  }

  private static void copy(Path from, Path to) throws IOException {
    Files.createDirectory(to);
    try (var files = Files.list(from)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Files.copy(file, to.resolve(file.getFileName()));
      }
    }
  }

  /// Everything behind the header, which also holds the time it took.
  private static byte[] weights(Path run) throws IOException {
    byte[] file = Files.readAllBytes(run.resolve("checkpoint.safetensors"));
    long header = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong();
    return Arrays.copyOfRange(file, (int) (8 + header), file.length);
  }
}
