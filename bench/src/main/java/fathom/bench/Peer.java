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

  private final String name;
  private final Process process;
  private final BufferedReader answers;
  private final BufferedWriter orders;

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

  /// Returns the command that runs a script of this build.
  static List<String> command(Path python, String script, String... arguments) {
    try {
      Path file = Files.createTempFile("fathom-peer-", ".py");
      file.toFile().deleteOnExit();
      try (var source = Peer.class.getResourceAsStream("/fathom/bench/peers/" + script)) {
        if (source == null) {
          throw new IllegalStateException("the script " + script + " is not in this build");
        }
        Files.write(file, source.readAllBytes());
      }
      var command = new ArrayList<>(List.of(python.toString(), "-W", "ignore", file.toString()));
      command.addAll(List.of(arguments));
      return command;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Starts a program, which warms itself up, and waits until it is ready. Throws
  /// `IllegalStateException`, with the last line of its standard error, if it ends before that.
  static Peer start(String name, List<String> command) {
    try {
      Path log = Files.createTempFile("fathom-peer-", ".log");
      log.toFile().deleteOnExit();
      Process process = new ProcessBuilder(command).redirectError(log.toFile()).start();
      var peer = new Peer(name, process);
      String answer = peer.answers.readLine();
      if (answer == null || !answer.startsWith("ready")) {
        peer.close();
        throw new IllegalStateException(
            "the peer %s did not start: %s"
                .formatted(name, Files.readString(log).strip().lines().reduce("", (_, b) -> b)));
      }
      return peer;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  String name() {
    return name;
  }

  /// Returns the milliseconds of one run.
  double run() {
    try {
      orders.write("run\n");
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
