package fathom.report;

import java.util.List;

/// A table whose first column names its rows. Cells are shown as they are given. A column in which
/// every cell is a number is aligned right.
///
/// @param caption what the table shows
/// @param head one heading for each column
/// @param rows one cell for each heading; an empty cell is a missing value
public record Table(String caption, List<String> head, List<List<String>> rows) implements Block {
  /// Copies the lists.
  ///
  /// @throws IllegalArgumentException if a row has more or fewer cells than there are headings
  public Table {
    head = List.copyOf(head);
    rows = rows.stream().map(List::copyOf).toList();
    for (int i = 0; i < rows.size(); i++) {
      if (rows.get(i).size() != head.size()) {
        throw new IllegalArgumentException(
            "table \"%s\": row %s has %s cells, but the head has %s; give one cell for each heading"
                .formatted(caption, i, rows.get(i).size(), head.size()));
      }
    }
  }
}
