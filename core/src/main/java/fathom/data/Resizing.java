package fathom.data;

import java.awt.image.BufferedImage;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// The conversion of an image of any size to the size that a net takes: its largest centred part
/// with the net's proportions is scaled to that size, or, as photos are seen in tests, the centred
/// square of seven eighths of its shorter side (see [Photos]). Colours become grey if there is one
/// channel, and grey becomes three equal channels if there are three. `docs/preprocessing.md` has
/// the formulas.
///
/// @param channels 1 for grey, 3 for red, green, blue
/// @param photos whether images are seen as photos are in tests; then they are squares
/// @param crop how photos are seen instead, for weights from elsewhere; null for the usual
public record Resizing(
    int channels, int height, int width, boolean photos, @Nullable CentreCrop crop) {
  private static final int MOST_BYTES = 1 << 30;

  /// Makes a conversion in which photos are seen as in Fathom's own tests.
  public Resizing(int channels, int height, int width, boolean photos) {
    this(channels, height, width, photos, null);
  }

  /// Throws `IllegalArgumentException` for a size that no image has: other than 1 or 3 channels, a
  /// side less than 1, more than 2^30 bytes, photos that are not square, or a crop that is for no
  /// photos or larger than they.
  public Resizing {
    if ((channels != 1 && channels != 3) || height < 1 || width < 1) {
      throw new IllegalArgumentException(
          "an image from a file has 1 or 3 channels, and a row and a column at least, but %s×%s×%s was asked for"
              .formatted(channels, height, width));
    }
    if (channels * ((long) height * width) > MOST_BYTES) {
      throw new IllegalArgumentException(
          "an image has at most %s bytes, but %s×%s×%s was asked for"
              .formatted(MOST_BYTES, channels, height, width));
    }
    if (photos && height != width) {
      throw new IllegalArgumentException(
          "photos become squares, but %s×%s was asked for".formatted(height, width));
    }
    if (crop != null && (!photos || crop.shorter() < height)) {
      throw new IllegalArgumentException(
          "a centre of %s×%s pixels is cropped from photos whose shorter side is at least as long, but %s was asked for, and `photos` is %s"
              .formatted(height, width, crop, photos));
    }
  }

  /// Decodes a JPEG, PNG, GIF, BMP or WebP file, rotates it as its camera recorded it, and resizes
  /// it. The result is one image with label 0. Throws [fathom.io.BadFileException] if the file is
  /// no image or is damaged, and [fathom.DeviceException] if the heap is too small to decode it.
  public Images of(Path file) {
    return of(ImageSource.of(file));
  }

  /// Decodes and resizes the image in the bytes of such a file, with the same errors.
  public Images of(byte[] file) {
    return of(ImageSource.of(file));
  }

  Images of(ImageSource source) {
    byte[] pixels = new byte[channels * height * width];
    ImageFile.read(source, view(), target(), pixels, 0);
    return images(pixels);
  }

  /// Resizes an image that is decoded and upright. The result is one image with label 0.
  public Images of(BufferedImage image) {
    byte[] pixels = new byte[channels * height * width];
    var part = view().of(image.getWidth(), image.getHeight());
    Scaling.write(image, Orientation.UPRIGHT, part, target(), pixels, 0);
    return images(pixels);
  }

  /// Returns an `Images` of this size without any image.
  public Images none() {
    return new Images(channels, height, width, new byte[0], new int[0]);
  }

  /// Returns the conversion to what is there before the centre is cropped from photos: the square
  /// in the middle of the scaled photo.
  Resizing uncropped() {
    int shorter = crop == null ? Photos.shorterSide(height) : crop.shorter();
    Filter filter = crop == null ? Filter.BILINEAR : crop.filter();
    return new Resizing(channels, shorter, shorter, true, new CentreCrop(shorter, filter));
  }

  CropRegion view() {
    if (crop != null) {
      return CropRegion.tested(height, crop.shorter());
    }
    return photos ? CropRegion.tested(height) : CropRegion.largest(height, width);
  }

  Scaling.Target target() {
    return crop == null
        ? new Scaling.Target(channels, height, width)
        : new Scaling.Target(channels, height, width, crop.filter(), true);
  }

  private Images images(byte[] pixels) {
    return new Images(channels, height, width, pixels, new int[1]);
  }
}
