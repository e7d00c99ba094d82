package fathom;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// What Linux limits the memory of this process to, alone or with others: control groups, version 1
/// and 2, as containers, systemd and batch systems set them. Who takes more is killed.
///
/// A group is limited by its parents too, so all of them count. In a container the path that the
/// process is told may be that of its host, and then what is mounted is its own group.
///
/// @param root `/`, below which the system tells
record Container(Path root) {
  /// A group with a limit: how much it may take, and how much of that its processes have now,
  /// without what the system can take back, which is the content of files.
  record Group(double limit, double taken) {
    double free() {
      return limit - taken;
    }
  }

  /// The groups that have a limit, innermost first; none where there is no Linux.
  List<Group> groups() {
    return lines(root.resolve("proc/self/cgroup")).flatMap(this::group).toList();
  }

  /// A line has a number, controllers and a path, between colons: `4:memory:/docker/12ab` in
  /// version 1, `0::/user.slice` in version 2.
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

  /// From the folder of a group up to that of the mount.
  private static Stream<Path> upwards(Path mounted, String path) {
    Path own = mounted.resolve(path.replaceFirst("^/+", "")).normalize();
    Path first = own.startsWith(mounted) && Files.isDirectory(own) ? own : mounted;
    return Stream.iterate(
        first, folder -> folder != null && folder.startsWith(mounted), Path::getParent);
  }

  /// Version 1 says that there is no limit by a number near 2⁶³, version 2 by the word max.
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

  /// −1 for a word.
  private static double number(String text) {
    try {
      return Long.parseLong(text.strip());
    } catch (NumberFormatException e) {
      return -1;
    }
  }

  /// Of a file of the system; none if it is not there.
  static Stream<String> lines(Path file) {
    try {
      return Files.readAllLines(file).stream();
    } catch (IOException | UncheckedIOException e) {
      return Stream.empty();
    }
  }
}
