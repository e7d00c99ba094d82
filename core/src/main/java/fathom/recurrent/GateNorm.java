package fathom.recurrent;

/// What is normalised inside a recurrent layer.
public enum GateNorm {
  /// Nothing: the plain cell.
  NONE,
  /// Layer norm as in the paper's equations: over the concatenated gates (Ba et al. 2016, eq. 4,
  /// 20-22 and 26-28).
  LAYER,
  /// The same over each gate alone.
  PER_GATE;

  /// Of each gate, the first gate behind those that are normalised together with it. A GRU's
  /// candidate is normalised by itself (eq. 28).
  int[] ends(Kind kind) {
    int[] ends = new int[kind.gates()];
    for (int gate = 0; gate < ends.length; gate++) {
      boolean together = this == LAYER;
      ends[gate] = !together ? gate + 1 : kind == Kind.GRU && gate < 2 ? 2 : ends.length;
    }
    return ends;
  }
}
