package fathom.bench;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Runs a program of Fathom in a fresh JVM with the flags and the class path of this one, or the
/// program of a peer, as a whole process.
final class Child {
  /// Begins what the JVM itself prints, before the program says anything.
  private static final String OF_THE_JVM = "WARNING: ";

  private Child() {}

  /// Returns the last line that `program` prints. Throws `IllegalStateException`, with the first
  /// line of its standard error that is its own, if it fails or prints nothing.
  static String run(Class<?> program, String... arguments) {
    return finished(builder(program, arguments));
  }

  /// Starts `program`, whose standard error is this one's.
  static Process start(Class<?> program, String... arguments) throws IOException {
    return builder(program, arguments).redirectError(ProcessBuilder.Redirect.INHERIT).start();
  }

  /// Runs a program that is none of Fathom's, without input, and returns the same.
  static String run(List<String> command) {
    return finished(new ProcessBuilder(command).redirectInput(new File("/dev/null")));
  }

  private static ProcessBuilder builder(Class<?> program, String... arguments) {
    var command = new ArrayList<String>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    for (String flag : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
      if (!flag.startsWith("-agentlib:") && !flag.startsWith("-javaagent:")) {
        command.add(flag);
      }
    }
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), program.getName()));
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command);
  }

  private static String finished(ProcessBuilder program) {
    try {
      Path log = Files.createTempFile("fathom-child-", ".log");
      try {
        return answer(program.redirectError(log.toFile()).start(), log);
      } finally {
        Files.deleteIfExists(log);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String complaint(String errors) {
    return errors
        .lines()
        .filter(line -> !line.isBlank() && !line.startsWith(OF_THE_JVM))
        .findFirst()
        .orElse("it said nothing");
  }

  private static String answer(Process process, Path log) throws IOException {
    try (var lines = process.inputReader()) {
      String last = lines.lines().reduce("", (_, line) -> line);
      int code = process.waitFor();
      if (code != 0 || last.isEmpty()) {
        throw new IllegalStateException(
            "the process that is measured ended with code %s: %s"
                .formatted(code, complaint(Files.readString(log))));
      }
      return last;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("the benchmark was interrupted", e);
    } finally {
      process.destroy();
    }
  }
}
