package fathom.recurrent;

/// What is normalised inside a recurrent layer.
public enum GateNorm {
  /// Nothing: the plain cell.
  NONE,
  /// Layer norm as in the paper's equations: over the concatenated gates (Ba et al. 2016, eq. 4,
  /// 20-22 and 26-28).
  LAYER,
  /// The same over each gate alone.
  PER_GATE
}
