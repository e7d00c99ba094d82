package fathom.cli;

import fathom.run.OwnFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// Checks a file that a command writes, or replaces because the user says so: it must not be a file
/// that the command reads, nor a file that a training needs.
final class Destination {
  private Destination() {}

  /// Refuses `file`, which the command line calls `option`, if it is the `input` of the command, or
  /// has the name of one of a run's own files in the folder of a run. Commands call this before
  /// they compute anything.
  ///
  /// @param input the file that is read; null, or a folder, which may get more files, excludes
  ///   nothing
  static void check(Path file, String option, @Nullable Path input, Output output) {
    if (input != null && Files.isRegularFile(input) && isSame(file, input)) {
      throw output.refused(
          "%s is %s, which this command reads; name another file".formatted(option, input));
    }
    if (OwnFiles.has(file)) {
      throw output.refused(
          "%s is %s, which the run in its folder needs; name another file".formatted(option, file));
    }
  }

  /// Refuses `file` as [#check] does, and also if it is an existing file in the folder `data`,
  /// because a command reads all files of that folder.
  static void checkBeside(Path file, String option, @Nullable Path data, Output output) {
    check(file, option, null, output);
    try {
      if (data != null && Files.exists(file) && file.toRealPath().startsWith(data.toRealPath())) {
        throw output.refused(
            "%s is %s, a file of the data that this command reads; name another file"
                .formatted(option, file));
      }
    } catch (IOException e) {
      return; // a path that cannot be examined is refused when it is read or written
    }
  }

  private static boolean isSame(Path file, Path input) {
    try {
      return Files.exists(file) && Files.isSameFile(file, input);
    } catch (IOException e) {
      return false;
    }
  }
}
