package fathom.report;

import fathom.BadFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;

/// A report: what it is about, its result in a sentence or two, and the sections that show it.
public record Page(String title, String lead, List<Section> sections) {
  public Page {
    sections = List.copyOf(sections);
  }

  public Page(String title, String lead, Section... sections) {
    this(title, lead, List.of(sections));
  }

  /// The whole file: HTML that is also well-formed XML. Equal pages give equal text.
  public String html() {
    return Layout.document(this);
  }

  /// Writes the report in UTF-8. The file appears complete or not at all, and takes the place of an
  /// older one.
  ///
  /// @throws BadFileException if the folder is missing or cannot be written
  public void write(Path file) {
    Path part = file.resolveSibling(file.getFileName() + ".part");
    try {
      try {
        Files.writeString(part, html());
        Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
      } finally {
        Files.deleteIfExists(part);
      }
    } catch (IOException e) {
      throw new BadFileException(
          file, "the report cannot be written (" + e + "); is its folder there and writable?", e);
    }
  }
}
