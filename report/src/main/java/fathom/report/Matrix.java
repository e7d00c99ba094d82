package fathom.report;

import java.util.List;

/// How often things of each kind were taken for each kind, as a table in which what went wrong is
/// shaded by its share of the row: under 1 %, 3 %, 10 %, 30 %, or more.
///
/// @param caption what the table shows
/// @param names of the kinds; each has a row (what it is) and a column (what it was taken for)
/// @param counts `counts[row][column]`, a row for each name
public record Matrix(String caption, List<String> names, List<List<Long>> counts) implements Block {
  /// @throws IllegalArgumentException unless there is a count for each row and column
  public Matrix {
    names = List.copyOf(names);
    counts = counts.stream().map(List::copyOf).toList();
    int size = names.size();
    if (counts.size() != size || counts.stream().anyMatch(row -> row.size() != size)) {
      throw new IllegalArgumentException(
          "matrix \"%s\": %s names need as many rows and columns, but there are %s rows of %s"
              .formatted(caption, size, counts.size(), counts.stream().map(List::size).toList()));
    }
  }
}
