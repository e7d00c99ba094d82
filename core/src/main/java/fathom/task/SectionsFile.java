package fathom.task;

import fathom.io.AtomicFile;
import fathom.io.BadFileException;
import fathom.io.Json;
import fathom.io.RegularFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import tools.jackson.core.JacksonException;

/// The file `sections.json` in the folder of a run: the sections that the task adds to the report.
public final class SectionsFile {
  private static final long MOST_BYTES = 1 << 28;

  private SectionsFile() {}

  private record Stored(List<Section> sections) {}

  /// Returns the path of the sections in the folder of a run.
  public static Path in(Path folder) {
    return folder.resolve("sections.json");
  }

  /// Writes sections into the folder of a run. Throws [BadFileException] if that is not possible.
  public static void write(Path folder, List<Section> sections) {
    AtomicFile.replace(
        in(folder), Json.text(new Stored(sections)).getBytes(StandardCharsets.UTF_8));
  }

  /// Reads the sections of a run; an empty list if its task wrote none. Throws [BadFileException]
  /// for a damaged file.
  public static List<Section> read(Path folder) {
    Path file = in(folder);
    if (!Files.exists(file)) {
      return List.of();
    }
    try {
      return Json.read(Json.parse(RegularFile.text(file, MOST_BYTES)), Stored.class).sections();
    } catch (JacksonException | IllegalArgumentException e) {
      throw new BadFileException(
          file, "these are no sections of a report, which can be made without: delete it", e);
    }
  }
}
