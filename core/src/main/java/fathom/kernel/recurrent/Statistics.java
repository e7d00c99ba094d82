package fathom.kernel.recurrent;

import fathom.DType;
import fathom.Tensor;
import java.lang.foreign.MemorySegment;

/// Mean and reciprocal standard deviation, in float64, of every vector that a layer normalizes on
/// its way through the steps: the two parts of each gate, and the cell state.
record Statistics(Unrolled u, MemorySegment memory) {
  static Statistics of(Unrolled u) {
    Tensor all = Tensor.empty(DType.FLOAT64, u.steps(), u.count(), perRow(u));
    return new Statistics(u, all.segment());
  }

  private static int perRow(Unrolled u) {
    return 4 * u.gates() + 2;
  }

  /// The index of the mean of a gate's part; the reciprocal standard deviation is the next element.
  /// `part` is 0 for the input's part and 1 for the recurrent part.
  long of(int t, int n, int part, int gate) {
    return u.row(t, n) * perRow(u) + 2L * (part * u.gates() + gate);
  }

  /// The index of the mean of the cell state; the reciprocal standard deviation is the next
  /// element.
  long ofCell(int t, int n) {
    return u.row(t, n) * perRow(u) + 4L * u.gates();
  }
}
