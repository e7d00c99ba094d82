package fathom.kernel.recurrent;

import fathom.DType;
import fathom.Tensor;
import java.util.Arrays;

/// What a recurrent layer has while it goes over T steps of N sequences, with H units and G =
/// gates·H rows in its weights. A [Cell] reads and writes it, one step after the other.
///
/// @param gates blocks of H rows in the weights
/// @param ends of each gate, the first gate behind those that are normalised together with it
/// @param normed whether anything is normalised
/// @param padded H, rounded up to what the cell works on at a time; units from `hidden` on are zero
///   and stay so
/// @param lengths the steps of each sequence
/// @param ax W_x·x of every time, T×N×G; on the way back its cotangent takes its place
/// @param ah W_h·h of every time, T×N×G; likewise
/// @param h the hidden state before the first step and after each, (T+1)×N×H
/// @param c the cell state, likewise; empty without one
public record Unrolled(
    int gates,
    int[] ends,
    boolean normed,
    double epsilon,
    int hidden,
    int padded,
    int[] lengths,
    CellWeights weights,
    Tensor ax,
    Tensor ah,
    Tensor h,
    Tensor c) {

  DType type() {
    return ax.type();
  }

  int steps() {
    return Math.toIntExact(h.shape().size(0)) - 1;
  }

  int count() {
    return lengths.length;
  }

  /// Elements of one row of `ax`.
  int width() {
    return gates * padded;
  }

  boolean active(int t, int n) {
    return t < lengths[n];
  }

  long row(int t, int n) {
    return (long) t * lengths.length + n;
  }

  int end(int gate) {
    return ends[gate];
  }

  /// Whether some sequence has no step t.
  boolean anyStands(int t) {
    return Arrays.stream(lengths).anyMatch(length -> t >= length);
  }

  @Override
  public boolean equals(Object other) {
    return this == other;
  }

  @Override
  public int hashCode() {
    return System.identityHashCode(this);
  }

  @Override
  public String toString() {
    return "%s steps of %s sequences, %s units".formatted(steps(), count(), hidden);
  }
}
