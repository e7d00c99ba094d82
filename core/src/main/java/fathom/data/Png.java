package fathom.data;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import javax.imageio.ImageIO;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/// Encodes an image of a data set as a PNG file: in colour if it has three channels, otherwise its
/// first channel in grey.
public final class Png {
  private Png() {}

  /// Returns image `image` in its own size, as the bytes of a PNG file. Throws as [#small] does.
  public static byte[] of(Images images, int image) {
    return small(images, image, Math.max(images.height(), images.width()));
  }

  /// Returns image `image` with no side longer than `side` pixels, as the bytes of a PNG file: a
  /// larger one is shrunk by a whole factor, and a pixel is the mean of those that it covers.
  /// Throws `IllegalArgumentException` if there is no such image, or if `side` is less than 1.
  public static byte[] small(Images images, int image, int side) {
    if (image < 0 || image >= images.count() || side < 1) {
      throw new IllegalArgumentException(
          "there are the images 0 to %s, and a side has at least 1 pixel, but image %s was asked for with a side of %s"
              .formatted(images.count() - 1, image, side));
    }
    int shrunk = Math.ceilDiv(Math.max(images.height(), images.width()), side);
    int height = Math.ceilDiv(images.height(), shrunk);
    int width = Math.ceilDiv(images.width(), shrunk);
    boolean colour = images.channels() == 3;
    var drawn =
        new BufferedImage(
            width, height, colour ? BufferedImage.TYPE_INT_RGB : BufferedImage.TYPE_BYTE_GRAY);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        for (int c = 0; c < (colour ? 3 : 1); c++) {
          drawn
              .getRaster()
              .setSample(x, y, c, mean(images, image, c, y * shrunk, x * shrunk, shrunk));
        }
      }
    }
    return of(drawn);
  }

  /// Returns an image with its own colours or palette, as the bytes of a PNG file.
  public static byte[] of(BufferedImage image) {
    var bytes = new ByteArrayOutputStream();
    try (var out = new MemoryCacheImageOutputStream(bytes)) {
      ImageIO.write(image, "png", out);
    } catch (IOException e) {
      throw new UncheckedIOException("memory can be written", e);
    }
    return bytes.toByteArray();
  }

  /// Returns the mean of the square at (`top`, `left`), as far as it lies in the image.
  private static int mean(Images images, int image, int channel, int top, int left, int side) {
    int plane = image * images.size() + channel * images.height() * images.width();
    int bottom = Math.min(images.height(), top + side);
    int right = Math.min(images.width(), left + side);
    long sum = 0;
    for (int y = top; y < bottom; y++) {
      for (int x = left; x < right; x++) {
        sum += images.pixels()[plane + y * images.width() + x] & 0xff;
      }
    }
    int count = (bottom - top) * (right - left);
    return (int) ((sum + count / 2) / count);
  }
}
