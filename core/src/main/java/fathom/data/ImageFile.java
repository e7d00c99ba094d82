package fathom.data;

import fathom.DeviceException;
import fathom.data.ImageStream.UnreadableException;
import fathom.data.Orientation.Box;
import fathom.io.BadFileException;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.io.EOFException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiConsumer;
import javax.imageio.IIOException;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import org.jspecify.annotations.Nullable;

/// Decodes JPEG, PNG, GIF, BMP and WebP files, which are told apart by their content. [Colours]
/// says how colours are converted. An image is rotated as its camera recorded it, and an animation
/// becomes its canvas with the first frame.
///
/// A decoder receives only what the pixels need ([Container]), so damage to anything else is as
/// harmless as in browsers. The size of the image, which the decoder would have to trust, is
/// checked before the decoder runs. Images are decoded in the [DecodingRoom].
final class ImageFile {
  private static final long MOST_PIXELS = 100_000_000;

  /// The most pixels that a byte of a file can stand for. A PNG of one bit per pixel can pack 8256
  /// pixels into a byte, and no other format packs more except WebP, in which an image of a single
  /// colour needs no bytes at all.
  private static final long MOST_PIXELS_PER_BYTE = 8 * 1032;

  private static final String WEBP = "webp";
  private static final int RIFF_HEAD = 12;

  /// The description that a file gives of its image: the format, the size as it is displayed (for
  /// an animation, that of its canvas), and whether it is grey.
  record Header(String format, int width, int height, boolean grey) {
    FolderSummary.Size size() {
      return new FolderSummary.Size(width, height);
    }
  }

  private interface Work<T> {
    T with(ImageStream in, Container container) throws IOException;
  }

  private ImageFile() {}

  /// Reads the header without the pixels. Throws [BadFileException] if this is no image or its size
  /// cannot be right; an image whose pixels are damaged still has a header.
  static Header header(Path file) {
    return header(ImageSource.of(file));
  }

  /// Does the same as [#header(Path)], for an image from any source.
  static Header header(ImageSource source) {
    return open(source, (in, container) -> header(container));
  }

  /// Decodes the image, to find out whether it can be decoded. Throws [BadFileException] if not,
  /// and [DeviceException] if the heap is too small for it.
  static Header whole(Path file) {
    return whole(ImageSource.of(file));
  }

  /// Does the same as [#whole(Path)], for an image from any source.
  static Header whole(ImageSource source) {
    return decoded(source, (container, image) -> {});
  }

  /// Returns the decoded image, for callers that need its samples unchanged. Throws as [#whole]
  /// does.
  static BufferedImage image(Path file) {
    var decoded = new AtomicReference<BufferedImage>();
    decoded(ImageSource.of(file), (container, image) -> decoded.set(image));
    return Objects.requireNonNull(decoded.get());
  }

  /// Writes the part of the image that `view` chooses, scaled to the size `to`, into `out` from
  /// `at` on. Throws as [#whole] does.
  static void read(Path file, CropRegion view, Scaling.Target to, byte[] out, int at) {
    read(ImageSource.of(file), view, to, out, at);
  }

  /// Does the same as the `read` of a file, for an image from any source.
  static void read(ImageSource source, CropRegion view, Scaling.Target to, byte[] out, int at) {
    decoded(
        source,
        (container, image) -> {
          Header header = header(container);
          Box part = view.of(header.width, header.height);
          Scaling.write(image, container.orientation(), part, to, out, at);
        });
  }

  private static Header header(Container container) {
    boolean turned = container.orientation().transposed();
    return new Header(
        container.format(),
        turned ? container.height() : container.width(),
        turned ? container.width() : container.height(),
        container.grey());
  }

  private static Header decoded(ImageSource source, BiConsumer<Container, BufferedImage> use) {
    return open(
        source,
        (in, container) -> {
          try {
            DecodingRoom.SHARED.with(
                container.bytes(),
                () -> {
                  use.accept(container, image(source, in, container));
                  return container;
                });
          } catch (OutOfMemoryError e) {
            throw new DeviceException(
                "%s: the image of %s×%s pixels needs about %s MB of the heap to be decoded, which has %s MB in all; give it more (JAVA_TOOL_OPTIONS=-Xmx8g), or make the image smaller"
                    .formatted(
                        source.name(),
                        container.width(),
                        container.height(),
                        container.bytes() >> 20,
                        Runtime.getRuntime().maxMemory() >> 20));
          }
          return header(container);
        });
  }

  private static <T> T open(ImageSource source, Work<T> work) {
    Path file = source.name();
    try (ImageStream in = ImageStream.of(source)) {
      Container container = container(file, in);
      check(source, container);
      return work.with(in, container);
    } catch (BadFileException | DeviceException e) {
      throw e;
    } catch (EOFException e) {
      throw new BadFileException(
          file,
          "the image cannot be decoded: the file ends before it does; replace or remove it",
          e);
    } catch (IOException | RuntimeException e) { // damage makes the readers throw either
      UnreadableException unreadable = unreadable(e);
      if (unreadable != null) {
        throw new BadFileException(
            file,
            "it cannot be read (%s), which is no damage of the image; check its permissions and where it lies"
                .formatted(unreadable.getMessage()),
            e);
      }
      throw new BadFileException(
          file, "the image cannot be decoded (%s); replace or remove it".formatted(e), e);
    }
  }

  /// Returns the [UnreadableException] among the causes, because a decoder may wrap it in an
  /// exception of its own; null if there is none.
  static @Nullable UnreadableException unreadable(Throwable e) {
    for (Throwable at = e; at != null; at = at.getCause()) {
      if (at instanceof UnreadableException unreadable) {
        return unreadable;
      }
    }
    return null;
  }

  private static Container container(Path file, ImageStream in) throws IOException {
    byte[] start = in.bytes(RIFF_HEAD);
    String hex = HexFormat.of().formatHex(start);
    if (hex.startsWith("ffd8ff")) {
      return JpegSegments.of(in);
    } else if (hex.startsWith("89504e47")) {
      return PngChunks.of(in);
    } else if (hex.startsWith("47494638")) {
      return GifBlocks.of(in);
    } else if (hex.startsWith("424d")) {
      return bmp(in);
    } else if (hex.startsWith("52494646") && hex.endsWith("57454250")) {
      long said =
          Integer.toUnsignedLong(Integer.reverseBytes((int) Long.parseLong(hex, 8, 16, 16)));
      if (said + 8 > in.length()) { // its decoder would read zeros beyond the end
        throw new BadFileException(
            file,
            "the image says that it has %s bytes, but there are %s; the file is cut short: replace or remove it"
                .formatted(said + 8, in.length()));
      }
      return WebpChunks.of(in);
    }
    throw new BadFileException(
        file,
        "an image must be a JPEG, PNG, GIF, BMP or WebP file, but this one starts with"
            + " the bytes %s; convert or remove it"
                .formatted(hex.isEmpty() ? "(none)" : hex.substring(0, Math.min(8, hex.length()))));
  }

  /// Describes a BMP file. Its only part is the whole file, because the pixels need all of it.
  private static Container bmp(ImageStream in) throws IOException {
    List<ImageStream.Part> whole = List.of(new ImageStream.Range(0, in.length()));
    ImageReader reader = ImageIO.getImageReadersByFormatName("bmp").next();
    try {
      reader.setInput(in.with(whole), true, true);
      ColorModel colours = reader.getImageTypes(0).next().getColorModel();
      return new Container(
          "bmp",
          reader.getWidth(0),
          reader.getHeight(0),
          Colours.areGrey(colours),
          Orientation.UPRIGHT,
          Math.ceilDiv(colours.getPixelSize(), 8),
          null,
          whole,
          null);
    } finally {
      reader.dispose();
    }
  }

  private static void check(ImageSource source, Container container) throws IOException {
    Path file = source.name();
    long pixels = (long) container.height() * container.width();
    if (pixels > MOST_PIXELS) {
      throw new BadFileException(
          file,
          "an image may have %s megapixels, but this one is %s×%s; make it smaller"
              .formatted(MOST_PIXELS / 1_000_000, container.width(), container.height()));
    }
    if (container.width() < 1 || container.height() < 1) {
      throw new BadFileException(
          file,
          "an image has at least one pixel, but this one is %s×%s; replace or remove it"
              .formatted(container.width(), container.height()));
    }
    long bytes = source.size();
    if (!container.format().equals(WEBP) && pixels > bytes * MOST_PIXELS_PER_BYTE) {
      throw new BadFileException(
          file,
          "an image of %s×%s cannot be held in %s bytes; the file is damaged or cut short"
              .formatted(container.width(), container.height(), bytes));
    }
  }

  /// Returns the whole canvas.
  private static BufferedImage image(ImageSource source, ImageStream in, Container container)
      throws IOException {
    if (container.format().equals("png")) {
      PngSums.check(source);
    }
    BufferedImage frame = frame(source.name(), in, container);
    Container.Frame place = container.frame();
    int width = place == null ? container.width() : place.width();
    int height = place == null ? container.height() : place.height();
    if (frame.getWidth() != width || frame.getHeight() != height) {
      throw new IIOException(
          "its pixels are %s×%s, but it says that they are %s×%s"
              .formatted(frame.getWidth(), frame.getHeight(), width, height));
    }
    return place == null ? frame : onCanvas(frame, place, container);
  }

  private static BufferedImage onCanvas(
      BufferedImage frame, Container.Frame place, Container container) {
    var canvas =
        new BufferedImage(container.width(), container.height(), BufferedImage.TYPE_3BYTE_BGR);
    int[] line = new int[container.width()];
    for (int y = 0; y < container.height(); y++) {
      Arrays.fill(line, place.around());
      if (y >= place.top() && y < place.top() + place.height()) {
        frame.getRGB(0, y - place.top(), place.width(), 1, line, place.left(), place.width());
      }
      canvas.setRGB(0, y, line.length, 1, line, 0, line.length);
    }
    return canvas;
  }

  /// Decodes the frame, with the colours of its profile if there is a usable one.
  private static BufferedImage frame(Path file, ImageStream in, Container container)
      throws IOException {
    List<ImageStream.Part> profiled = container.profiled();
    if (profiled != null) {
      try {
        return decoded(file, in.with(profiled), container.format());
      } catch (IOException | RuntimeException e) {
        // Either the profile or the pixels are damaged, so the image is decoded again without the
        // profile.
      }
    }
    return decoded(file, in.with(container.parts()), container.format());
  }

  private static BufferedImage decoded(Path file, ImageStream in, String format)
      throws IOException {
    ImageReader reader = ImageIO.getImageReadersByFormatName(format).next();
    AtomicReference<String> damage = new AtomicReference<>();
    reader.addIIOReadWarningListener((source, warning) -> {
      // The readers fill an image that ends early with grey and only give a warning, which can be
      // recognised by nothing but its text. Other warnings are about harmless extras.
      if (warning.contains("Truncated")
          || warning.contains("premature end")
          || warning.contains("Out-of-sequence")) {
        damage.set(warning);
      }
    });
    try {
      reader.setInput(in, true, true);
      BufferedImage image = reader.read(0);
      if (damage.get() != null) {
        throw new BadFileException(
            file, "the image is damaged (%s); replace or remove it".formatted(damage.get()));
      }
      return image;
    } catch (IOException | RuntimeException e) {
      if (e.getCause() instanceof OutOfMemoryError full) {
        throw full;
      }
      throw e;
    } finally {
      reader.dispose();
    }
  }
}
