package fathom.report;

/// One piece of a [Section].
public sealed interface Block permits Text, Table, Matrix, Chart, HeatMap, Gallery, Facts {}
