package fathom.data;

import fathom.BadFileException;
import fathom.RegularFile;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.concurrent.atomic.AtomicReference;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;

/// Decodes JPEG, PNG, GIF, BMP and WebP files, which are told apart by content. [Colours] says what
/// becomes of colours. A picture is turned as its camera says, and of an animation the first one is
/// taken.
///
/// What a decoder would have to believe, the size of the picture, is checked before it runs.
final class PictureFile {
  private static final long MOST_PIXELS = 100_000_000;

  /// A PNG of one bit per pixel can pack 8256 pixels into a byte, and no format more but WebP, in
  /// which a picture of one colour needs no bytes at all.
  private static final long MOST_PIXELS_PER_BYTE = 8 * 1032;

  private static final String WEBP = "webp";
  private static final int RIFF_HEAD = 12;

  /// What a file says of its picture: the format, the size as it is seen, and its colours.
  record Header(String format, int width, int height, boolean grey) {
    Survey.Size size() {
      return new Survey.Size(width, height);
    }
  }

  private interface Work<T> {
    T with(ImageReader reader, String format, Orientation orientation) throws IOException;
  }

  private PictureFile() {}

  /// Reads no more than the header.
  static Header header(Path file) {
    return open(file, (reader, format, orientation) -> header(file, reader, format, orientation));
  }

  /// Decodes the picture, to see whether that can be done.
  static Header whole(Path file) {
    return open(
        file,
        (reader, format, orientation) -> {
          Header header = header(file, reader, format, orientation);
          image(file, reader);
          return header;
        });
  }

  /// Writes the part that `view` chooses, in this size, from `at` on.
  static void read(Path file, View view, Scaling.Target to, byte[] out, int at) {
    open(
        file,
        (reader, format, orientation) -> {
          Header header = header(file, reader, format, orientation);
          Scaling.write(
              image(file, reader), orientation, view.of(header.width, header.height), to, out, at);
          return header;
        });
  }

  private static <T> T open(Path file, Work<T> work) {
    RegularFile.check(file);
    try (ImageInputStream in = new PictureStream(file)) {
      String format = format(file, in);
      Orientation orientation = Orientation.of(in, format);
      ImageReader reader = ImageIO.getImageReadersByFormatName(format).next();
      try {
        in.seek(0);
        reader.setInput(in, true, true);
        return work.with(reader, format, orientation);
      } finally {
        reader.dispose();
      }
    } catch (BadFileException e) {
      throw e;
    } catch (IOException | RuntimeException e) { // the readers' answer to damage may be either
      if (e.getCause() instanceof OutOfMemoryError full) {
        throw tooLarge(file, full);
      }
      throw new BadFileException(
          file, "the picture cannot be decoded (%s); replace or remove it".formatted(e), e);
    } catch (OutOfMemoryError e) {
      throw tooLarge(file, e);
    }
  }

  private static BadFileException tooLarge(Path file, OutOfMemoryError e) {
    return new BadFileException(
        file,
        "the picture is too large to be decoded in a heap of %s MB; make it smaller, or the heap larger (JAVA_TOOL_OPTIONS=-Xmx8g)"
            .formatted(Runtime.getRuntime().maxMemory() >> 20),
        e);
  }

  private static String format(Path file, ImageInputStream in) throws IOException {
    byte[] start = new byte[RIFF_HEAD];
    int length = Math.max(0, in.read(start));
    String hex = HexFormat.of().formatHex(start, 0, length);
    if (hex.startsWith("ffd8ff")) {
      return "jpeg";
    } else if (hex.startsWith("89504e47")) {
      return "png";
    } else if (hex.startsWith("47494638")) {
      return "gif";
    } else if (hex.startsWith("424d")) {
      return "bmp";
    } else if (hex.startsWith("52494646") && hex.endsWith("57454250")) {
      long said =
          Integer.toUnsignedLong(Integer.reverseBytes((int) Long.parseLong(hex, 8, 16, 16)));
      if (said + 8 > in.length()) { // its decoder would go on with zeros
        throw new BadFileException(
            file,
            "the picture says that it has %s bytes, but there are %s; the file is cut short: replace or remove it"
                .formatted(said + 8, in.length()));
      }
      return WEBP;
    }
    throw new BadFileException(
        file,
        "a picture must be a JPEG, PNG, GIF, BMP or WebP file, but this one starts with"
            + " the bytes %s; convert or remove it"
                .formatted(hex.isEmpty() ? "(none)" : hex.substring(0, Math.min(8, hex.length()))));
  }

  private static Header header(
      Path file, ImageReader reader, String format, Orientation orientation) throws IOException {
    int height = reader.getHeight(0);
    int width = reader.getWidth(0);
    long pixels = (long) height * width;
    if (pixels > MOST_PIXELS) {
      throw new BadFileException(
          file,
          "a picture may have %s megapixels, but this one is %s×%s; make it smaller"
              .formatted(MOST_PIXELS / 1_000_000, width, height));
    }
    long bytes = Files.size(file);
    if (!format.equals(WEBP) && pixels > bytes * MOST_PIXELS_PER_BYTE) {
      throw new BadFileException(
          file,
          "a picture of %s×%s cannot be held in %s bytes; the file is damaged or cut short"
              .formatted(width, height, bytes));
    }
    boolean turned = orientation.transposed();
    return new Header(
        format,
        turned ? height : width,
        turned ? width : height,
        Colours.areGrey(reader.getImageTypes(0).next().getColorModel()));
  }

  private static BufferedImage image(Path file, ImageReader reader) throws IOException {
    if (reader.getFormatName().equals("png")) {
      PngSums.check(file);
    }
    AtomicReference<String> damage = new AtomicReference<>();
    reader.addIIOReadWarningListener((source, warning) -> {
      // A picture that ends early is filled with grey and only a warning, of which the text is
      // all that can be had. Other warnings are about harmless extras.
      if (warning.contains("Truncated")
          || warning.contains("premature end")
          || warning.contains("Out-of-sequence")) {
        damage.set(warning);
      }
    });
    BufferedImage image = reader.read(0);
    if (damage.get() != null) {
      throw new BadFileException(
          file, "the picture is damaged (%s); replace or remove it".formatted(damage.get()));
    }
    return image;
  }
}
