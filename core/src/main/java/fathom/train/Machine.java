package fathom.train;

import fathom.Torch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// What a run was made by and on.
///
/// @param source the version of Fathom, and the commit where the launcher knows it
public record Machine(
    String source, String libtorch, String java, String system, String processor, int cores) {
  public static final String VERSION = "0.2.0";

  public static Machine here() {
    return new Machine(
        version(),
        Torch.version(),
        javaVersion(),
        System.getProperty("os.name") + " " + System.getProperty("os.arch"),
        processorName(),
        Runtime.getRuntime().availableProcessors());
  }

  /// Of Fathom, with the commit where the launcher knows it.
  public static String version() {
    String commit = System.getProperty("fathom.source", "");
    return commit.isEmpty() ? VERSION : VERSION + " (" + commit + ")";
  }

  /// The name and version of the JVM.
  public static String javaVersion() {
    return System.getProperty("java.vm.name") + " " + System.getProperty("java.version");
  }

  /// As the system calls it.
  public static String processorName() {
    try (var lines = Files.lines(Path.of("/proc/cpuinfo"))) {
      return lines
          .filter(line -> line.startsWith("model name"))
          .findFirst()
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .orElse("unknown");
    } catch (IOException | UncheckedIOException e) {
      return "unknown"; // not Linux
    }
  }
}
