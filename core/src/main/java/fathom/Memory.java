package fathom;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.LongSupplier;

/// The memory of this machine or container, of which tensors take a part at most: a system that has
/// lent more than it has ends a process without a word.
///
/// The rest is for the system and for this process itself: the JVM's heap, the code that it
/// compiles, its threads, and what libtorch works in. What they have already is no longer free when
/// the system is asked; what they are still going to take is kept for them.
public final class Memory {
  /// Of all memory; the rest is for what cannot be foreseen.
  private static final double SHARE = 0.9;

  /// What a process that trains has for itself beside its heap and its tensors, as soon as code is
  /// compiled and libtorch works: 415 MB were measured of ResNet-56 with two workers.
  private static final double OWN = 400e6;

  /// Below this nobody looks: a short program need not wait for the answers of the system.
  private static final double SURELY = 64e6;

  /// The system is asked again where tensors have more by so much than when it was asked last.
  private static final long STEP = 32L << 20;

  private static final Memory HERE =
      new Memory(Path.of("/"), () -> Runtime.getRuntime().totalMemory());

  private final Path root;
  private final LongSupplier heap;

  /// So many bytes of tensors were found to have room.
  private volatile double known = SURELY;

  /// With another root of the files by which Linux tells.
  ///
  /// @param heap the bytes that the JVM has reserved for its heap
  Memory(Path root, LongSupplier heap) {
    this.root = root;
    this.heap = heap;
  }

  /// The bytes that tensors can have on this machine or in this container now, those that live
  /// included; at least 0.
  public static long available() {
    return (long) Math.min((double) Long.MAX_VALUE, HERE.most((double) Tensor.liveBytes()));
  }

  /// Throws [DeviceException] unless a tensor fits beside those that live.
  static void check(Shape shape, DType type, long live) {
    HERE.checked(shape, type, live);
  }

  void checked(Shape shape, DType type, long live) {
    double bytes = (double) shape.elements() * type.bytes();
    if (bytes + (double) live <= known) {
      return;
    }
    double most = most((double) live);
    if (bytes + (double) live > most) {
      throw new DeviceException(
          String.format(
              Locale.ROOT,
              "a tensor of %s takes %s besides %s of others, but tensors can have %s %s beside what"
                  + " the program has for itself; make the net smaller, or the batch, or remember"
                  + " less of it (`recompute` auto)",
              shape,
              size(bytes),
              size((double) live),
              size(most),
              isContained() ? "in this container" : "on this machine"));
    }
    known = Math.min(most, bytes + (double) live + Math.max(STEP, live / 16.0));
  }

  /// For example `36.2 GB`, or `512 MB`.
  private static String size(double bytes) {
    return bytes < 1e9
        ? String.format(Locale.ROOT, "%.0f MB", bytes / 1e6)
        : String.format(Locale.ROOT, "%.1f GB", bytes / 1e9);
  }

  private boolean isContained() {
    double total = kilobytes("proc/meminfo", "MemTotal:");
    return new Container(root).groups().stream().anyMatch(group -> group.limit() < total);
  }

  /// How many bytes tensors can have where so many live now.
  double most(double live) {
    double free = Math.min(kilobytes("proc/meminfo", "MemAvailable:"), total() - live);
    double most = SHARE * (live + free);
    for (Container.Group group : new Container(root).groups()) {
      most = Math.min(most, SHARE * group.limit() - group.taken() + live);
    }
    return Math.max(0, most - toCome(live));
  }

  /// What this process is still going to take for itself.
  private double toCome(double live) {
    double resident = kilobytes("proc/self/status", "RssAnon:");
    double own = Double.isInfinite(resident) ? 0 : Math.max(0, resident - live);
    return Math.max(0, OWN + heap.getAsLong() - own);
  }

  private double total() {
    double linux = kilobytes("proc/meminfo", "MemTotal:");
    return Double.isInfinite(linux)
            && ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
        ? system.getTotalMemorySize()
        : linux;
  }

  /// A line of a file in which Linux tells, in bytes; infinite if it does not. `MemAvailable` is
  /// what programs can have without that others lose theirs, `RssAnon` what this one has that is no
  /// content of files.
  private double kilobytes(String file, String key) {
    return Container.lines(root.resolve(file))
        .filter(line -> line.startsWith(key))
        .mapToDouble(line -> 1024.0 * Long.parseLong(line.replaceAll("\\D", "")))
        .findFirst()
        .orElse(Double.POSITIVE_INFINITY);
  }
}
