package fathom.train;

import fathom.Torch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// The software and the machine of a run.
///
/// @param source the version of Fathom, with the commit if the launcher knows it
/// @param libtorch the version of libtorch
/// @param java the name and version of the JVM
/// @param system the operating system and its architecture
/// @param processor the processor's name
/// @param cores the number of cores
public record Machine(
    String source, String libtorch, String java, String system, String processor, int cores) {
  public static final String VERSION = "0.2.0";

  /// Returns the software and the machine of this process.
  public static Machine here() {
    return new Machine(
        version(),
        Torch.version(),
        javaVersion(),
        System.getProperty("os.name") + " " + System.getProperty("os.arch"),
        processorName(),
        Runtime.getRuntime().availableProcessors());
  }

  /// Returns the version of Fathom, with the commit if the launcher knows it.
  public static String version() {
    String commit = System.getProperty("fathom.source", "");
    return commit.isEmpty() ? VERSION : VERSION + " (" + commit + ")";
  }

  /// Returns the name and version of the JVM.
  public static String javaVersion() {
    return System.getProperty("java.vm.name") + " " + System.getProperty("java.version");
  }

  /// Returns the processor's name as Linux gives it, or "unknown".
  public static String processorName() {
    try (var lines = Files.lines(Path.of("/proc/cpuinfo"))) {
      return lines
          .filter(line -> line.startsWith("model name"))
          .findFirst()
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .orElse("unknown");
    } catch (IOException | UncheckedIOException e) {
      return "unknown"; // this is not Linux
    }
  }
}
