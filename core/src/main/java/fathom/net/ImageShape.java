package fathom.net;

/// The shape of the images that a net reads, C×H×W: the number of channels (1 for grey, 3 for red,
/// green and blue), the height and the width in pixels.
public record ImageShape(int channels, int height, int width) {
  /// Throws `IllegalArgumentException` if an image has more elements than a Java array can hold.
  public ImageShape {
    if ((double) channels * height * width > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "an image has at most %s values, but %s×%s×%s are more"
              .formatted(Integer.MAX_VALUE, channels, height, width));
    }
  }

  @Override
  public String toString() {
    return channels + "×" + height + "×" + width;
  }
}
