package fathom.task;

import java.util.List;

/// A part of the report of a training that its task writes: a heading, sentences, a table and rows
/// of images. The report shows it as it is and knows nothing of the task.
///
/// @param text sentences that say what is seen and how it was measured
/// @param table its first row is the heading; empty for none
/// @param rows of images side by side
public record Section(String title, String text, List<List<String>> table, List<List<Image>> rows) {
  /// An image and what is said below it.
  ///
  /// @param caption what it shows, and of which file
  /// @param png its bytes
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

  /// Of images alone.
  public static Section ofImages(String title, String text, List<List<Image>> rows) {
    return new Section(title, text, List.of(), rows);
  }
}
