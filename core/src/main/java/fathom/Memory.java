package fathom;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/// The memory of this machine, of which tensors take a part at most: a system that has lent more
/// than it has ends a process without a word.
final class Memory {
  /// Below this nobody looks: to ask the system costs a short program tens of milliseconds.
  private static final long SURELY = 1L << 30;

  private Memory() {}

  /// Looked up when it is first needed, and kept: what is free changes with what is taken.
  private static final class Most {
    /// The rest is for the system and the JVM.
    private static final double SHARE = 0.9;

    static final double BYTES = SHARE * Math.min(total(), Tensor.liveBytes() + available());

    /// Of a container, what it may use.
    private static double total() {
      return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
          ? system.getTotalMemorySize()
          : Double.POSITIVE_INFINITY;
    }

    /// What programs can have without that others lose theirs; only Linux tells.
    private static double available() {
      try (var lines = Files.lines(Path.of("/proc/meminfo"))) {
        return lines
            .filter(line -> line.startsWith("MemAvailable:"))
            .mapToDouble(line -> 1024.0 * Long.parseLong(line.replaceAll("\\D", "")))
            .findFirst()
            .orElse(Double.POSITIVE_INFINITY);
      } catch (IOException | UncheckedIOException | NumberFormatException e) {
        return Double.POSITIVE_INFINITY;
      }
    }
  }

  /// Throws [DeviceException] unless a tensor fits beside those that live.
  static void check(Shape shape, DType type, long live) {
    double bytes = (double) shape.elements() * type.bytes();
    if (bytes + live > SURELY && bytes + live > Most.BYTES) {
      throw new DeviceException(
          String.format(
              Locale.ROOT,
              "a tensor of %s takes %.1f GB besides %.1f GB of others, but tensors can have %.1f GB on this machine now; make the net smaller, or the batch",
              shape,
              bytes / 1e9,
              live / 1e9,
              Most.BYTES / 1e9));
    }
  }
}
