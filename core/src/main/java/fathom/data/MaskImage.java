package fathom.data;

import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.util.Arrays;

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

  /// The image in a file of which no label is known, in its own size and in 1 or 3 channels; see
  /// [Resizing#of(Path)].
  public static MaskImage of(Path file, int channels) {
    return of(ImageSource.of(file), channels);
  }

  /// The same of the bytes of such a file.
  public static MaskImage of(byte[] file, int channels) {
    return of(ImageSource.of(file), channels);
  }

  /// The same of an image that is decoded and upright.
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
