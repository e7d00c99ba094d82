package fathom.recurrent;

/// The norm inside a recurrent layer.
public enum GateNorm {
  /// No norm: the plain cell.
  NONE,
  /// Layer norm over the concatenated gates, as in the paper's equations (Ba et al. 2016, eq. 4,
  /// 20-22 and 26-28).
  LAYER,
  /// Layer norm over each gate by itself.
  PER_GATE;

  /// Returns, for each gate, the end (exclusive) of the range of gates that is normalised together
  /// with it. A GRU's candidate is normalised by itself (eq. 28).
  public int[] ends(Kind kind) {
    int[] ends = new int[kind.gates()];
    for (int gate = 0; gate < ends.length; gate++) {
      boolean together = this == LAYER;
      ends[gate] = !together ? gate + 1 : kind == Kind.GRU && gate < 2 ? 2 : ends.length;
    }
    return ends;
  }
}
