package fathom.report;

/// One piece of a [Section], such as a chart, a table or a paragraph.
public sealed interface Block permits Text, Table, Matrix, Chart, HeatMap, Gallery, Facts {}
