package fathom.task;

import java.util.List;

/// A part of the report of a training that the task writes: a heading, sentences, a table and rows
/// of images. The report shows it unchanged and knows nothing of the task. The constructor throws
/// `IllegalArgumentException` if the rows of the table differ in length.
///
/// @param title the heading
/// @param text sentences that say what is shown and how it was measured
/// @param table rows of cells, of which the first is the heading; empty for no table
/// @param rows rows of images side by side
public record Section(String title, String text, List<List<String>> table, List<List<Image>> rows) {
  /// An image and the text below it.
  ///
  /// @param caption what the image shows, and the file it comes from
  /// @param png the bytes of a PNG file
  public record Image(String caption, byte[] png) {}

  public Section {
    table = List.copyOf(table);
    rows = List.copyOf(rows);
    for (List<String> row : table) {
      if (row.size() != table.getFirst().size()) {
        throw new IllegalArgumentException(
            "the rows of a table are equally long, but \"%s\" has some of %s and of %s cells"
                .formatted(title, table.getFirst().size(), row.size()));
      }
    }
  }

  /// Returns a section without a table.
  public static Section ofImages(String title, String text, List<List<Image>> rows) {
    return new Section(title, text, List.of(), rows);
  }
}
