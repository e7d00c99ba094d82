package fathom.recurrent;

import fathom.Tensor;
import java.util.Arrays;

/// N sequences side by side, T×N×F; the features of all sequences at one step lie together in
/// memory. Sequence n has `lengths[n]` steps, and the steps after them are padding.
///
/// @param values the features, T×N×F
/// @param lengths the number of steps of each sequence, 0 to T
public record Sequences(Tensor values, int[] lengths) {
  /// Throws `IllegalArgumentException` if the values do not have three dimensions, or if there is
  /// not one length in 0..T for each sequence.
  public Sequences {
    if (values.shape().rank() != 3) {
      throw new IllegalArgumentException("sequences are T×N×F, but were given " + values.shape());
    }
    if (lengths.length != values.shape().size(1)) {
      throw new IllegalArgumentException(
          "each of the sequences %s has a length, but there are %s lengths"
              .formatted(values.shape(), lengths.length));
    }
    for (int length : lengths) {
      if (length < 0 || length > values.shape().size(0)) {
        throw new IllegalArgumentException(
            "a sequence of %s has 0 to %s steps, but one has %s"
                .formatted(values.shape(), values.shape().size(0), length));
      }
    }
  }

  /// Returns sequences of T×N×F that all have T steps. Throws `IllegalArgumentException` if the
  /// values do not have three dimensions.
  public static Sequences of(Tensor values) {
    if (values.shape().rank() != 3) {
      throw new IllegalArgumentException("sequences are T×N×F, but were given " + values.shape());
    }
    int[] lengths = new int[Math.toIntExact(values.shape().size(1))];
    Arrays.fill(lengths, Math.toIntExact(values.shape().size(0)));
    return new Sequences(values, lengths);
  }

  /// Returns sequences with the same lengths and other values.
  public Sequences with(Tensor values) {
    return new Sequences(values, lengths);
  }

  /// The number of steps, T.
  public int steps() {
    return Math.toIntExact(values.shape().size(0));
  }

  /// The number of sequences, N.
  public int count() {
    return lengths.length;
  }

  /// The number of features of a step, F.
  public int features() {
    return Math.toIntExact(values.shape().size(2));
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof Sequences other
        && values.equals(other.values)
        && Arrays.equals(lengths, other.lengths);
  }

  @Override
  public int hashCode() {
    return 31 * values.hashCode() + Arrays.hashCode(lengths);
  }

  @Override
  public String toString() {
    return "sequences of " + values.shape();
  }
}
