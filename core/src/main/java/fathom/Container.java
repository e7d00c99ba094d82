package fathom;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// The memory limits that Linux sets for this process, alone or together with others. Containers,
/// systemd and batch systems set them as control groups of version 1 or 2, and the kernel kills a
/// process that exceeds them.
///
/// The limits of a group's parents bind the group too, so all of them count. In a container, the
/// path that the process sees may be the path on its host; in that case the mounted folder is the
/// container's own group.
///
/// @param root the folder that holds `proc` and `sys`, which is `/` outside tests
record Container(Path root) {
  /// A control group with a memory limit.
  ///
  /// @param limit the most bytes that its processes may take
  /// @param taken the bytes that its processes have now, without cached file contents, which the
  ///   kernel can reclaim
  record Group(double limit, double taken) {
    double free() {
      return limit - taken;
    }
  }

  /// The groups that have a limit, innermost first. The list is empty where there is no Linux.
  List<Group> groups() {
    return lines(root.resolve("proc/self/cgroup")).flatMap(this::group).toList();
  }

  /// Parses a line of `/proc/self/cgroup`. It has a number, controllers and a path, separated by
  /// colons: `4:memory:/docker/12ab` in version 1, `0::/user.slice` in version 2.
  private Stream<Group> group(String line) {
    String[] parts = line.split(":", 3);
    if (parts.length < 3) {
      return Stream.empty();
    }
    Path mounted = root.resolve("sys/fs/cgroup");
    return switch (parts[1]) {
      case "memory" ->
          upwards(mounted.resolve("memory"), parts[2])
              .flatMap(folder -> read(folder, "memory.limit_in_bytes", "total_rss"));
      case "" -> upwards(mounted, parts[2]).flatMap(folder -> read(folder, "memory.max", "anon"));
      default -> Stream.empty(); // another controller
    };
  }

  /// Returns the folders from that of a group up to that of the mount.
  private static Stream<Path> upwards(Path mounted, String path) {
    Path own = mounted.resolve(path.replaceFirst("^/+", "")).normalize();
    Path first = own.startsWith(mounted) && Files.isDirectory(own) ? own : mounted;
    return Stream.iterate(
        first, folder -> folder != null && folder.startsWith(mounted), Path::getParent);
  }

  /// Reads limit and use of one group. Where there is no limit, version 1 says so by a number near
  /// 2⁶³ and version 2 by the word `max`.
  private static Stream<Group> read(Path folder, String limitFile, String takenKey) {
    double limit = lines(folder.resolve(limitFile)).findFirst().map(Container::number).orElse(-1.0);
    if (limit < 0 || limit > 1L << 60) {
      return Stream.empty();
    }
    double taken =
        lines(folder.resolve("memory.stat"))
            .filter(line -> line.startsWith(takenKey + " "))
            .findFirst()
            .map(line -> number(line.substring(takenKey.length())))
            .orElse(0.0);
    return Stream.of(new Group(limit, Math.max(0, taken)));
  }

  /// Parses a number; returns −1 for a word.
  private static double number(String text) {
    try {
      return Long.parseLong(text.strip());
    } catch (NumberFormatException e) {
      return -1;
    }
  }

  /// Returns the lines of a system file, or none if it cannot be read.
  static Stream<String> lines(Path file) {
    try {
      return Files.readAllLines(file).stream();
    } catch (IOException | UncheckedIOException e) {
      return Stream.empty();
    }
  }
}
