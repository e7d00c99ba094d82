package fathom.data;

import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBufferByte;
import java.awt.image.IndexColorModel;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// A range of columns of a decoded image, read row by row as values from 0 to 255.
///
/// The readers of JPEG and WebP files convert colours with an embedded profile, as cameras write
/// them, to sRGB; for other formats a profile is ignored. CMYK becomes RGB as `255·(1 - c)(1 - k)`.
/// Transparency is ignored, so the colours below transparent pixels are visible. Where one channel
/// is wanted, colours become their luma (ITU-R BT.601); the luma of grey is the grey itself.
final class Colours {
  private final BufferedImage image;
  private final int channels;
  private final int from;
  private final int[] rgb;
  private final int[] samples;
  private final byte @Nullable [] bgr;

  /// Selects the columns `from .. to-1`, as 1 or 3 channels.
  Colours(BufferedImage image, int channels, int from, int to) {
    this.image = image;
    this.channels = channels;
    this.from = from;
    this.rgb = new int[to - from];
    this.samples = new int[rgb.length * image.getRaster().getNumBands()];
    this.bgr = bytes(image);
  }

  /// Returns whether the colour model has no colours but grey.
  static boolean areGrey(ColorModel model) {
    if (model instanceof IndexColorModel palette) {
      return IntStream.range(0, palette.getMapSize())
          .allMatch(i ->
              palette.getRed(i) == palette.getGreen(i) && palette.getRed(i) == palette.getBlue(i));
    }
    return model.getColorSpace().getType() == ColorSpace.TYPE_GRAY;
  }

  /// Returns the image's bytes if they are BGR triples, as for most colour JPEG, PNG and WebP
  /// files, so that they can be read without a conversion; otherwise null.
  private static byte @Nullable [] bytes(BufferedImage image) {
    return image.getType() == BufferedImage.TYPE_3BYTE_BGR
            && image.getRaster().getDataBuffer() instanceof DataBufferByte buffer
            && buffer.getSize() == 3 * image.getWidth() * image.getHeight()
        ? buffer.getData()
        : null;
  }

  /// Writes row `y` to `line`, channels innermost.
  void read(int y, float[] line) {
    byte[] direct = bgr;
    if (direct != null && channels == 3) {
      int p = 3 * (y * image.getWidth() + from);
      for (int i = 0; i < 3 * rgb.length; i += 3) {
        line[i] = direct[p + i + 2] & 0xff;
        line[i + 1] = direct[p + i + 1] & 0xff;
        line[i + 2] = direct[p + i] & 0xff;
      }
      return;
    }
    row(y);
    for (int i = 0; i < rgb.length; i++) {
      int red = rgb[i] >> 16 & 0xff;
      int green = rgb[i] >> 8 & 0xff;
      int blue = rgb[i] & 0xff;
      if (channels == 1) {
        int luma = (299 * red + 587 * green + 114 * blue + 500) / 1000;
        line[i] = luma;
      } else {
        line[3 * i] = red;
        line[3 * i + 1] = green;
        line[3 * i + 2] = blue;
      }
    }
  }

  /// Writes row `y` to `rgb`, as `0xRRGGBB`.
  private void row(int y) {
    ColorModel model = image.getColorModel();
    int type = model.getColorSpace().getType();
    boolean known =
        type == ColorSpace.TYPE_GRAY || type == ColorSpace.TYPE_RGB || type == ColorSpace.TYPE_CMYK;
    if (!known || !(model instanceof ComponentColorModel)) {
      image.getRGB(from, y, rgb.length, 1, rgb, 0, rgb.length);
      return;
    }
    // The raw samples are taken, because getRGB treats grey as linear light and would brighten it.
    image.getRaster().getPixels(from, y, rgb.length, 1, samples);
    int max = (1 << model.getComponentSize(0)) - 1;
    int bands = samples.length / Math.max(1, rgb.length);
    for (int i = 0; i < rgb.length; i++) {
      int s = i * bands;
      rgb[i] =
          switch (type) {
            case ColorSpace.TYPE_GRAY -> eight(samples[s], max) * 0x010101;
            case ColorSpace.TYPE_CMYK ->
                ink(samples[s], samples[s + 3], max) << 16
                    | ink(samples[s + 1], samples[s + 3], max) << 8
                    | ink(samples[s + 2], samples[s + 3], max);
            default ->
                eight(samples[s], max) << 16
                    | eight(samples[s + 1], max) << 8
                    | eight(samples[s + 2], max);
          };
    }
  }

  /// Scales a sample of any depth to eight bits.
  private static int eight(int sample, int max) {
    return max == 255 ? sample : (sample * 255 + max / 2) / max;
  }

  /// Returns one channel of a CMYK pixel in RGB.
  private static int ink(int colour, int black, int max) {
    return ((255 - eight(colour, max)) * (255 - eight(black, max)) + 127) / 255;
  }
}
