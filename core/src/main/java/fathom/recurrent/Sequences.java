package fathom.recurrent;

import fathom.Tensor;
import java.util.Arrays;

/// N sequences side by side, T×N×F: what stands at one time lies together in memory. Sequence n has
/// `lengths[n]` steps; what stands after them is padding.
public record Sequences(Tensor values, int[] lengths) {
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

  /// Sequences of T steps each.
  public static Sequences of(Tensor values) {
    if (values.shape().rank() != 3) {
      throw new IllegalArgumentException("sequences are T×N×F, but were given " + values.shape());
    }
    int[] lengths = new int[Math.toIntExact(values.shape().size(1))];
    Arrays.fill(lengths, Math.toIntExact(values.shape().size(0)));
    return new Sequences(values, lengths);
  }

  /// Other values at the same times.
  public Sequences with(Tensor values) {
    return new Sequences(values, lengths);
  }

  /// T.
  public int steps() {
    return Math.toIntExact(values.shape().size(0));
  }

  /// N.
  public int count() {
    return lengths.length;
  }

  /// F.
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
