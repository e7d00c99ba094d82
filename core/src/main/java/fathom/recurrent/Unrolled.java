package fathom.recurrent;

import fathom.DType;
import java.lang.foreign.MemorySegment;

/// What a recurrent layer has in memory while it goes over T steps of N sequences, with H units and
/// G = gates·H rows in its weights. A [Cell] reads and writes it, one step after the other.
///
/// @param type of every segment but `statistics`
/// @param padded H, rounded up to what the cell works on at a time; units from `hidden` on are zero
///   and stay so
/// @param lengths the steps of each sequence
/// @param ax W_x·x of every time, T×N×G; on the way back its cotangent takes its place
/// @param ah W_h·h of every time, T×N×G; likewise
/// @param gates the gates behind their non-linearities, T×N×G
/// @param h the hidden state before the first step and after each, (T+1)×N×H
/// @param c the cell state, likewise; empty without one
/// @param readOut tanh of the (normalised) cell state, T×N×H; empty without one
/// @param statistics float64: mean and reciprocal deviation of every normalised vector,
///   T×N×[#perRow]
record Unrolled(
    Kind kind,
    GateNorm norm,
    double epsilon,
    DType type,
    int steps,
    int count,
    int hidden,
    int padded,
    int[] lengths,
    CellWeights weights,
    MemorySegment ax,
    MemorySegment ah,
    MemorySegment gates,
    MemorySegment h,
    MemorySegment c,
    MemorySegment readOut,
    MemorySegment statistics) {

  /// Statistics of one case at one time: those of each gate's two parts, and of the cell state.
  static int perRow(Kind kind) {
    return 4 * kind.gates() + 2;
  }

  /// Elements of one row of `ax`.
  int width() {
    return kind.gates() * padded;
  }

  boolean active(int t, int n) {
    return t < lengths[n];
  }

  /// Where the mean of a gate's part stands, which its reciprocal deviation follows. `part` 0 is
  /// the input's, 1 the recurrent one.
  long statistic(int t, int n, int part, int gate) {
    return row(t, n) * perRow(kind) + 2L * (part * kind.gates() + gate);
  }

  /// Where the mean of the cell state stands.
  long cellStatistic(int t, int n) {
    return row(t, n) * perRow(kind) + 4L * kind.gates();
  }

  long row(int t, int n) {
    return (long) t * count + n;
  }

  /// The first gate behind those that are normalised together with `gate`.
  int groupEnd(int gate) {
    return switch (norm) {
      case NONE, PER_GATE -> gate + 1;
      case LAYER -> kind == Kind.GRU && gate < 2 ? 2 : kind.gates();
    };
  }
}
