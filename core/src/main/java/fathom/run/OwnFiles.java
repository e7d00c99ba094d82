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

/// The files that a training keeps in its folder and needs to go on or to be understood. Its report
/// is none of them, because it can be written again.
public final class OwnFiles {
  private static final Set<String> DESCRIPTIONS = Set.of("run.json", "training.json");

  private OwnFiles() {}

  /// Whether `file`, which need not be there, is such a file, however it is spelt: in a folder with
  /// a training, or a link to one.
  public static boolean has(Path file) {
    Path real = real(file);
    Path folder = real.getParent();
    return folder != null && (isAmong(real, folder) || isBelow(folder));
  }

  private static boolean isAmong(Path file, Path folder) {
    return isTraining(folder) && names(folder).contains(file.getFileName().toString());
  }

  /// The events for TensorBoard have a folder of their own.
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

  /// With all links followed, as far as there is something.
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
      return absolute; // writing to it says more
    }
  }
}
