package fathom.report;

import java.util.List;

/// A confusion matrix: how often things of each kind were taken for each kind. Each mistake is
/// shaded by its share of the row: under 1 %, from 1 %, from 3 %, from 10 %, or from 30 %.
///
/// @param caption what the table shows
/// @param names of the kinds; each has a row (what it is) and a column (what it was taken for)
/// @param counts `counts[row][column]`, a row for each name
public record Matrix(String caption, List<String> names, List<List<Long>> counts) implements Block {
  /// Copies the lists.
  ///
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
