package fathom;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.LongSupplier;

/// The memory of this machine or container. It bounds the size of all tensors together, because an
/// operating system that has promised more memory than it has ends a process without an error
/// message.
///
/// Part of the memory stays reserved for the system and for this process's other needs: the JVM's
/// heap, compiled code, threads, and libtorch's working memory. What these take already is no
/// longer free according to the system; this class estimates and reserves what they are still going
/// to take.
public final class Memory {
  /// The share of all memory that may be used; the rest covers what cannot be foreseen.
  private static final double SHARE = 0.9;

  /// The bytes that a training process needs besides its heap and its tensors once its code is
  /// compiled and libtorch has started. The measured use of ResNet-56 with two workers was 415 MB.
  private static final double OWN = 400e6;

  /// Below this many bytes no check is made, so that a short program does not wait for the system's
  /// answers.
  private static final double SURELY = 64e6;

  /// The check asks the system again when the tensors have grown by at least this many bytes since
  /// the last answer.
  private static final long STEP = 32L << 20;

  private static final Memory HERE =
      new Memory(Path.of("/"), () -> Runtime.getRuntime().totalMemory());

  private final Path root;
  private final LongSupplier heap;

  /// The total bytes of tensors that the last check found room for.
  private volatile double known = SURELY;

  /// Makes a memory that reads the files of Linux's `proc` and `sys` under another root.
  ///
  /// @param heap the bytes that the JVM has reserved for its heap
  Memory(Path root, LongSupplier heap) {
    this.root = root;
    this.heap = heap;
  }

  /// The bytes that tensors can occupy on this machine or in this container now, including those of
  /// the tensors that live already; at least 0.
  public static long available() {
    return (long) Math.min((double) Long.MAX_VALUE, HERE.most((double) Tensor.liveBytes()));
  }

  /// Throws [DeviceException] unless a tensor fits beside the `live` bytes of other tensors.
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

  /// Formats a size, for example `36.2 GB` or `512 MB`.
  private static String size(double bytes) {
    return bytes < 1e9
        ? String.format(Locale.ROOT, "%.0f MB", bytes / 1e6)
        : String.format(Locale.ROOT, "%.1f GB", bytes / 1e9);
  }

  private boolean isContained() {
    double total = kilobytes("proc/meminfo", "MemTotal:");
    return new Container(root).groups().stream().anyMatch(group -> group.limit() < total);
  }

  /// The bytes that tensors can occupy when `live` bytes of them exist now.
  double most(double live) {
    double free = Math.min(kilobytes("proc/meminfo", "MemAvailable:"), total() - live);
    double most = SHARE * (live + free);
    for (Container.Group group : new Container(root).groups()) {
      most = Math.min(most, SHARE * group.limit() - group.taken() + live);
    }
    return Math.max(0, most - toCome(live));
  }

  /// The bytes that this process is still going to take for itself.
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

  /// Reads an entry of a Linux status file and converts it from kB to bytes; returns infinity if
  /// the entry is missing. `MemAvailable` is the memory that programs can take without swapping;
  /// `RssAnon` is the memory of this process that is not backed by files.
  private double kilobytes(String file, String key) {
    return Container.lines(root.resolve(file))
        .filter(line -> line.startsWith(key))
        .mapToDouble(line -> 1024.0 * Long.parseLong(line.replaceAll("\\D", "")))
        .findFirst()
        .orElse(Double.POSITIVE_INFINITY);
  }
}
