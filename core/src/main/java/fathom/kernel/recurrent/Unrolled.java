package fathom.kernel.recurrent;

import fathom.DType;
import fathom.Tensor;
import java.util.Arrays;

/// The data of a recurrent layer during its T steps over N sequences, with H units and G = gates·H
/// rows in its weights. A [Cell] reads and writes it, one step after the other.
///
/// @param gates the number of blocks of H rows in the weights
/// @param ends for each gate, the index after the last gate that is normalized together with it
/// @param normed whether there are norms
/// @param epsilon ε of the norms
/// @param hidden H before padding
/// @param padded H, rounded up to the number of units that the cell processes at a time; units from
///   `hidden` on are zero and stay zero
/// @param lengths the number of steps of each sequence
/// @param weights the gains and biases
/// @param ax W_x·x of every time, T×N×G; the backward pass replaces it by its cotangent
/// @param ah W_h·h of every time, T×N×G; the backward pass replaces it by its cotangent
/// @param h the hidden state before the first step and after each step, (T+1)×N×H
/// @param c the cell state before the first step and after each step, (T+1)×N×H; empty for a cell
///   without one
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

  /// The number of elements of one row of `ax`.
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

  /// Whether some sequence has ended before step t.
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
