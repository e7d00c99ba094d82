package fathom.report;

import java.util.List;

/// Positive numbers as colours, with a row for each thing, such as a layer, and a column for each
/// moment, such as an epoch. Equal steps of colour are equal ratios. A value that is not finite or
/// not above 0 has no colour.
///
/// @param title what the map shows
/// @param caption what to look for in the map; may be empty
/// @param xLabel what a column is
/// @param yLabel what a row is
/// @param unit of the values
/// @param rows the name of each row, the first at the top
/// @param columns the name of each column
/// @param values for each row, a value for each column
public record HeatMap(
    String title,
    String caption,
    String xLabel,
    String yLabel,
    String unit,
    List<String> rows,
    List<String> columns,
    List<List<Double>> values)
    implements Block {
  /// Copies the lists.
  ///
  /// @throws IllegalArgumentException unless there is one value for each row and column
  public HeatMap {
    rows = List.copyOf(rows);
    columns = List.copyOf(columns);
    values = values.stream().map(List::copyOf).toList();
    int width = columns.size();
    if (values.size() != rows.size() || values.stream().anyMatch(row -> row.size() != width)) {
      throw new IllegalArgumentException(
          "heat map \"%s\": %s rows of %s columns need as many values, but there are %s rows of %s"
              .formatted(
                  title,
                  rows.size(),
                  width,
                  values.size(),
                  values.stream().map(List::size).toList()));
    }
  }
}
