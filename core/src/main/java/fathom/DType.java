package fathom;

/// The type of a tensor's elements. Training runs in [#FLOAT32], checks in [#FLOAT64]; [#INT64]
/// holds class indices.
public enum DType {
  FLOAT32(4),
  FLOAT64(8),
  /// The upper half of a FLOAT32: its range, with 8 bits of precision.
  BFLOAT16(2),
  INT64(8);

  private final int bytes;

  DType(int bytes) {
    this.bytes = bytes;
  }

  /// Bytes per element.
  public int bytes() {
    return bytes;
  }
}
