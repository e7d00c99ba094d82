package fathom.data;

import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.util.Arrays;

/// An image in its own size, with a label for every pixel. The arrays are not copied; whoever makes
/// a `MaskImage` must not change them afterwards.
///
/// @param name the name of its file, relative to the folder that was opened
/// @param channels 1 for grey, 3 for red, green, blue
/// @param pixels C×H×W unsigned bytes
/// @param mask H×W labels; [#UNLABELLED] for a pixel whose label is not known
public record MaskImage(
    String name, int channels, int height, int width, byte[] pixels, byte[] mask) {
  /// The label of a pixel whose class is not known: 255, as in the masks of files.
  public static final byte UNLABELLED = (byte) 255;

  /// Throws `IllegalArgumentException` unless the lengths of the arrays fit the size.
  public MaskImage {
    long plane = (long) height * width;
    if (pixels.length != channels * plane || mask.length != plane) {
      throw new IllegalArgumentException(
          "%s of %s×%s×%s has as many bytes and a label for each pixel, but has %s and %s"
              .formatted(name, channels, height, width, pixels.length, mask.length));
    }
  }

  /// Reads the image in a file, in its own size, as 1 or 3 channels and without known labels.
  /// Throws as [Resizing#of(Path)] does.
  public static MaskImage of(Path file, int channels) {
    return of(ImageSource.of(file), channels);
  }

  /// Reads the image in the bytes of such a file.
  public static MaskImage of(byte[] file, int channels) {
    return of(ImageSource.of(file), channels);
  }

  /// Takes an image that is decoded and upright.
  public static MaskImage of(BufferedImage image, int channels) {
    var size = new Resizing(channels, image.getHeight(), image.getWidth(), false);
    return of("an image", size.of(image));
  }

  private static MaskImage of(ImageSource source, int channels) {
    ImageFile.Header header = ImageFile.header(source);
    var size = new Resizing(channels, header.height(), header.width(), false);
    return of(source.name().toString(), size.of(source));
  }

  private static MaskImage of(String name, Images image) {
    byte[] mask = new byte[image.height() * image.width()];
    Arrays.fill(mask, UNLABELLED);
    return new MaskImage(
        name, image.channels(), image.height(), image.width(), image.pixels(), mask);
  }

  /// Compares the names only, because a set has one image of each name.
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
