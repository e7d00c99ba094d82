package fathom.report;

import fathom.io.AtomicFile;
import fathom.io.BadFileException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/// A report: its title, its result in a sentence or two, and the sections that show it.
///
/// @param title what the report is about
/// @param lead the result in a sentence or two
/// @param sections the sections in their order
public record Page(String title, String lead, List<Section> sections) {
  /// Copies the list of sections.
  public Page {
    sections = List.copyOf(sections);
  }

  /// Creates a page of these sections.
  public Page(String title, String lead, Section... sections) {
    this(title, lead, List.of(sections));
  }

  /// Returns the whole file: HTML that is also well-formed XML. Equal pages give equal text.
  public String html() {
    return Layout.document(this);
  }

  /// Writes the report in UTF-8. The file appears complete or not at all, and replaces an older
  /// one.
  ///
  /// @throws BadFileException if the folder is missing or cannot be written
  public void write(Path file) {
    AtomicFile.replace(file, html().getBytes(StandardCharsets.UTF_8));
  }
}
