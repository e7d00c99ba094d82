package fathom.report;

/// How a chart's y axis is divided.
public enum Scale {
  /// Equal steps are equal differences.
  LINEAR,
  /// Equal steps are equal ratios. Values that are not above 0 have no place on it: they are gaps.
  LOG
}
