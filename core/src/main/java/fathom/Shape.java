package fathom;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/// The sizes of a tensor, outermost dimension first: `N×C×H×W` for images, `N×F` for features, no
/// size at all for a single number.
public final class Shape {
  private final long[] sizes;

  private Shape(long[] sizes) {
    this.sizes = sizes;
  }

  /// Returns the shape with these sizes. Throws `IllegalArgumentException` if a size is negative or
  /// the number of elements does not fit into a `long`.
  public static Shape of(long... sizes) {
    long elements = 1;
    for (long size : sizes) {
      if (size < 0) {
        throw new IllegalArgumentException(
            "a size must not be negative, but the shape is " + Arrays.toString(sizes));
      }
      try {
        elements = Math.multiplyExact(elements, size);
      } catch (ArithmeticException e) {
        throw new IllegalArgumentException(
            "the shape " + Arrays.toString(sizes) + " has more elements than can be counted", e);
      }
    }
    return new Shape(sizes.clone());
  }

  /// The number of dimensions.
  public int rank() {
    return sizes.length;
  }

  /// Returns the size of dimension `dim`; a negative `dim` counts from the end, so `size(-1)` is
  /// the last. Throws `IllegalArgumentException` if there is no such dimension.
  public long size(int dim) {
    int at = dim < 0 ? dim + sizes.length : dim;
    if (at < 0 || at >= sizes.length) {
      throw new IllegalArgumentException(
          "dimension %s of the shape %s, which has %s".formatted(dim, this, sizes.length));
    }
    return sizes[at];
  }

  /// The number of elements.
  public long elements() {
    long n = 1;
    for (long size : sizes) {
      n *= size;
    }
    return n;
  }

  /// Returns the sizes, outermost first; in JSON a shape is this array.
  @JsonValue
  public long[] toArray() {
    return sizes.clone();
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof Shape other && Arrays.equals(sizes, other.sizes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(sizes);
  }

  /// For example `128×3×32×32`; `scalar` if there are no dimensions.
  @Override
  public String toString() {
    return sizes.length == 0
        ? "scalar"
        : LongStream.of(sizes).mapToObj(Long::toString).collect(Collectors.joining("×"));
  }
}
