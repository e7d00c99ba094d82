package fathom;

/// The type of a tensor's elements. Training runs in [#FLOAT32], with activations in [#BFLOAT16] by
/// choice, and gradient checks run in [#FLOAT64]; [#INT64] holds class indices.
public enum DType {
  FLOAT32(4),
  FLOAT64(8),
  /// The upper 16 bits of a FLOAT32: the same range, with 8 bits of precision.
  BFLOAT16(2),
  INT64(8);

  private final int bytes;

  DType(int bytes) {
    this.bytes = bytes;
  }

  /// The size of an element in bytes.
  public int bytes() {
    return bytes;
  }
}
