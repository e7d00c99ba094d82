package fathom.kernel.recurrent;

import fathom.DType;
import fathom.Tensor;
import java.lang.foreign.MemorySegment;

/// Mean and reciprocal standard deviation, in float64, of every vector that is normalised while a
/// layer goes over its steps: of each gate's two parts, and of the cell state.
record Statistics(Unrolled u, MemorySegment memory) {
  static Statistics of(Unrolled u) {
    Tensor all = Tensor.empty(DType.FLOAT64, u.steps(), u.count(), perRow(u));
    return new Statistics(u, all.segment());
  }

  private static int perRow(Unrolled u) {
    return 4 * u.gates() + 2;
  }

  /// Where the mean of a gate's part stands, which its reciprocal standard deviation follows.
  /// `part` 0 is the input's, 1 the recurrent one.
  long of(int t, int n, int part, int gate) {
    return u.row(t, n) * perRow(u) + 2L * (part * u.gates() + gate);
  }

  /// Where the mean of the cell state stands.
  long ofCell(int t, int n) {
    return u.row(t, n) * perRow(u) + 4L * u.gates();
  }
}
