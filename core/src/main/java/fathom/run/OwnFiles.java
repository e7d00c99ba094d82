package fathom.run;

import fathom.task.AnswersFile;
import fathom.task.SectionsFile;
import fathom.train.Recorder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The files that a training keeps in its folder and that are needed to continue or to understand
/// it. The report is not one of them, because it can be written again.
public final class OwnFiles {
  private static final Set<String> DESCRIPTIONS = Set.of("run.json", "training.json");

  private OwnFiles() {}

  /// Returns whether `file` is or would be such a file: one in a folder with a training, by any
  /// spelling of its path or through a link. The file need not exist.
  public static boolean has(Path file) {
    Path real = real(file);
    Path folder = real.getParent();
    return folder != null && (isAmong(real, folder) || isBelow(folder));
  }

  private static boolean isAmong(Path file, Path folder) {
    return isTraining(folder) && names(folder).contains(file.getFileName().toString());
  }

  /// Whether `folder` is the folder of a training's TensorBoard events, which have a folder of
  /// their own.
  private static boolean isBelow(Path folder) {
    Path run = folder.getParent();
    return run != null && folder.equals(Recorder.events(run)) && isTraining(run);
  }

  private static boolean isTraining(Path folder) {
    return DESCRIPTIONS.stream().anyMatch(name -> Files.isRegularFile(folder.resolve(name)));
  }

  private static Set<String> names(Path folder) {
    return Stream.concat(
            Stream.concat(DESCRIPTIONS.stream(), Stream.of("metrics.jsonl", ImageList.NAME)),
            Stream.of(
                    Recorder.checkpoint(folder),
                    Recorder.best(folder),
                    AnswersFile.in(folder),
                    SectionsFile.in(folder))
                .map(file -> file.getFileName().toString()))
        .collect(Collectors.toUnmodifiableSet());
  }

  /// The path with all links followed, as far as it exists.
  private static Path real(Path file) {
    Path absolute = file.toAbsolutePath().normalize();
    try {
      if (Files.exists(absolute)) {
        return absolute.toRealPath();
      }
      Path folder = absolute.getParent();
      return folder != null && Files.isDirectory(folder)
          ? folder.toRealPath().resolve(absolute.getFileName())
          : absolute;
    } catch (IOException e) {
      return absolute; // writing to this path gives a better message
    }
  }
}
