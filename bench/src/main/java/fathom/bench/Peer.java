package fathom.bench;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Another system that does the same work: a program of `bench/peers`, in Python or Java. It stays
/// alive and runs on demand, so that its runs alternate with Fathom's.
final class Peer implements AutoCloseable {
  /// The message for a user who has no Python environment for peers.
  static final String NO_PYTHON =
      "no PyTorch and no JAX: FATHOM_PEERS names no Python environment (python3 -m venv V && V/bin/pip install torch jax)";

  /// What jemalloc is told, and other allocators do not read: to keep what is freed, as PyTorch's
  /// guide to tuning advises. By default it returns it to the system in a step and asks anew.
  private static final String JEMALLOC =
      "background_thread:true,metadata_thp:auto,dirty_decay_ms:-1,muzzy_decay_ms:-1";

  private static final String READY = "ready";
  private static final String NETS = "nets.py";

  private final String name;
  private final Process process;
  private final BufferedReader answers;
  private final BufferedWriter orders;
  private String version = "";

  private Peer(String name, Process process) {
    this.name = name;
    this.process = process;
    this.answers = process.inputReader();
    this.orders = process.outputWriter();
  }

  /// Returns the Python interpreter of the peers, or null if there is none.
  static @Nullable Path python() {
    String home = System.getenv("FATHOM_PEERS");
    if (home == null || home.isBlank()) {
      return null;
    }
    Path python = Path.of(home, "bin", "python");
    return Files.isExecutable(python) ? python : null;
  }

  /// Returns whether this Python interpreter has a package.
  static boolean has(Path python, String module) {
    try {
      return new ProcessBuilder(python.toString(), "-c", "import " + module)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("the benchmark was interrupted", e);
    }
  }

  /// Returns the command that runs a script of this build, with the nets beside it that it imports.
  static List<String> command(Path python, String script, String... arguments) {
    try {
      Path folder = Files.createTempDirectory("fathom-peer-");
      folder.toFile().deleteOnExit(); // the last to be registered is the first to be deleted
      Path file = unpack(script, folder);
      unpack(NETS, folder);
      var command = new ArrayList<>(List.of(python.toString(), "-B", "-W", "ignore"));
      command.add(file.toString());
      command.addAll(List.of(arguments));
      return command;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Path unpack(String script, Path folder) throws IOException {
    try (var source = Peer.class.getResourceAsStream("/fathom/bench/peers/" + script)) {
      if (source == null) {
        throw new IllegalStateException("the script " + script + " is not in this build");
      }
      Path file = folder.resolve(script);
      Files.write(file, source.readAllBytes());
      file.toFile().deleteOnExit();
      return file;
    }
  }

  /// Starts a program, which warms itself up, and waits until it is ready. Throws
  /// `IllegalStateException`, with the last line of its standard error, if it ends before that.
  ///
  /// @param preload a library that stands before all others, such as an allocator, or null
  static Peer start(String name, List<String> command, @Nullable Path preload) {
    try {
      Path log = Files.createTempFile("fathom-peer-", ".log");
      log.toFile().deleteOnExit();
      var program = new ProcessBuilder(command).redirectError(log.toFile());
      if (preload != null) {
        program.environment().put("LD_PRELOAD", preload.toString());
        program.environment().put("MALLOC_CONF", JEMALLOC);
      }
      Process process = program.start();
      var peer = new Peer(name, process);
      String answer = peer.answers.readLine();
      if (answer == null || !answer.startsWith(READY)) {
        peer.close();
        throw new IllegalStateException(
            "the peer %s did not start: %s"
                .formatted(name, Files.readString(log).strip().lines().reduce("", (_, b) -> b)));
      }
      peer.version = answer.substring(READY.length()).strip();
      return peer;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// The system, the form in which it runs, and the version that it said it has.
  String name() {
    return (name + " " + version).strip();
  }

  /// Returns the milliseconds of one run.
  double run() {
    return ask("run");
  }

  /// Returns the most memory that the process has had in use, in MB of a million bytes.
  double peak() {
    return ask("peak");
  }

  private double ask(String order) {
    try {
      orders.write(order + "\n");
      orders.flush();
      String answer = answers.readLine();
      if (answer == null) {
        throw new IllegalStateException("the peer %s has ended".formatted(name));
      }
      return Double.parseDouble(answer);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    process.destroy();
  }
}
