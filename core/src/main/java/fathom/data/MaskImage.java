package fathom.data;

/// An image in its own size, with a label for every pixel. The arrays are not copied; who makes a
/// `MaskImage` leaves them alone afterwards.
///
/// @param name of its file, relative to the folder that was opened
/// @param pixels C×H×W unsigned bytes
/// @param mask H×W labels; [#UNLABELLED] where nothing is known of a pixel
public record MaskImage(
    String name, int channels, int height, int width, byte[] pixels, byte[] mask) {
  /// The label of a pixel of which nothing is known: 255, as masks in files have it.
  public static final byte UNLABELLED = (byte) 255;

  public MaskImage {
    long plane = (long) height * width;
    if (pixels.length != channels * plane || mask.length != plane) {
      throw new IllegalArgumentException(
          "%s of %s×%s×%s has as many bytes and a label for each pixel, but has %s and %s"
              .formatted(name, channels, height, width, pixels.length, mask.length));
    }
  }

  /// Two of one name in one set are one.
  @Override
  public boolean equals(Object o) {
    return o instanceof MaskImage other && name.equals(other.name);
  }

  @Override
  public int hashCode() {
    return name.hashCode();
  }

  @Override
  public String toString() {
    return "%s %s×%s×%s".formatted(name, channels, height, width);
  }
}
