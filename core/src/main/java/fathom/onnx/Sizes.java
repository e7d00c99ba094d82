package fathom.onnx;

import fathom.Shape;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/// The sizes of a tensor in a model, without those of its first dimension, which any run may choose
/// (the batch, or the steps of sequences). A size that a run chooses as well is [#ANY].
final class Sizes {
  /// Stands for a size that is only known when the model runs.
  static final long ANY = -1;

  private final long[] sizes;

  private Sizes(long[] sizes) {
    this.sizes = sizes;
  }

  static Sizes of(long... sizes) {
    return new Sizes(sizes.clone());
  }

  static Sizes of(Shape one) {
    return new Sizes(one.toArray());
  }

  /// The number of dimensions, without the first one.
  int rank() {
    return sizes.length;
  }

  /// Returns the size of dimension `dim`; a negative one counts from the end.
  long size(int dim) {
    return sizes[dim < 0 ? dim + sizes.length : dim];
  }

  /// Returns these sizes with another one for dimension `dim`; a negative one counts from the end.
  Sizes with(int dim, long size) {
    long[] other = sizes.clone();
    other[dim < 0 ? dim + sizes.length : dim] = size;
    return new Sizes(other);
  }

  boolean known() {
    return LongStream.of(sizes).noneMatch(size -> size == ANY);
  }

  /// The number of elements. Throws `IllegalArgumentException` if a size is only known when the
  /// model runs.
  long elements() {
    if (!known()) {
      throw new IllegalArgumentException(
          "a layer for one size of image was given %s; write the net for images of one size"
              .formatted(this));
    }
    return LongStream.of(sizes).reduce(1, Math::multiplyExact);
  }

  long[] toArray() {
    return sizes.clone();
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof Sizes other && Arrays.equals(sizes, other.sizes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(sizes);
  }

  @Override
  public String toString() {
    return LongStream.of(sizes)
        .mapToObj(size -> size == ANY ? "?" : Long.toString(size))
        .collect(Collectors.joining("×"));
  }
}
