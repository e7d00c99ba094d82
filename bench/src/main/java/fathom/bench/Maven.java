package fathom.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Runs Maven on a project of Fathom's sources, with the JDK that runs this program.
public final class Maven {
  /// A build failed. The message is one line, which names the file with Maven's whole output.
  public static final class FailedException extends Exception {
    private static final long serialVersionUID = 1;

    FailedException(String message) {
      super(message);
    }
  }

  private Maven() {}

  /// Runs Maven to its end, without showing its output.
  ///
  /// @param project the folder with the pom
  /// @param arguments options and goals
  /// @throws IOException if there is no Maven on the path
  /// @throws FailedException if the build fails
  /// @throws IllegalStateException if the thread is interrupted
  public static void run(Path project, List<String> arguments) throws IOException, FailedException {
    Path log = Files.createTempFile("fathom-maven-", ".log");
    var command =
        new ArrayList<String>(
            List.of("mvn", "-B", "-q", "-ntp", "-f", project.resolve("pom.xml").toString()));
    command.addAll(arguments);
    var builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    try {
      Process maven;
      try {
        maven = builder.start();
      } catch (IOException e) {
        Files.delete(log);
        throw e;
      }
      if (maven.waitFor() != 0) {
        try (var lines = Files.lines(log)) {
          String first =
              lines.filter(line -> line.startsWith("[ERROR]")).findFirst().orElse("no error line");
          throw new FailedException("Maven failed: %s (all of it: %s)".formatted(first, log));
        }
      }
      Files.delete(log);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while Maven built " + project, e);
    }
  }
}
