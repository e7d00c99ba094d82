package fathom.net;

/// The shape of the images that a net reads: C×H×W, the channels (1 for grey, 3 for red, green,
/// blue), the height and the width in pixels. Throws `IllegalArgumentException` for an image of
/// more values than an array can have.
public record ImageShape(int channels, int height, int width) {
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
