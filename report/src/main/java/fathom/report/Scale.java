package fathom.report;

/// The scale of a chart's y axis.
public enum Scale {
  /// Equal distances are equal differences.
  LINEAR,
  /// Equal distances are equal ratios. A value that is not above 0 cannot be drawn and leaves a
  /// gap.
  LOG
}
