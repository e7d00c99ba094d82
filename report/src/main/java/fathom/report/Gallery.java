package fathom.report;

import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Images side by side, each with what is said of it. Small ones are enlarged, pixel by pixel.
public record Gallery(List<Image> images) implements Block {
  /// The first bytes of a PNG file: the signature, and the length and name of the header.
  private static final long SIGNATURE = 0x89504e470d0a1a0aL;

  private static final int WIDTH_AT = 16;

  public Gallery {
    images = List.copyOf(images);
  }

  /// A link below an image.
  ///
  /// @param words what is read
  /// @param href a URI, absolute or relative to the page
  public record Link(String words, String href) {}

  /// An image in a gallery.
  ///
  /// @param png the bytes of a PNG file
  /// @param alt what stands for the image where it is not seen
  /// @param lines what is said below it
  /// @param link where it came from; null where there is nothing to open
  public record Image(byte[] png, String alt, List<String> lines, @Nullable Link link) {
    /// @throws IllegalArgumentException unless it begins like a PNG file
    public Image {
      lines = List.copyOf(lines);
      if (png.length < WIDTH_AT + 8 || ByteBuffer.wrap(png).getLong() != SIGNATURE) {
        throw new IllegalArgumentException(
            "an image in a gallery is a PNG file, but \"%s\" has %s bytes and does not begin like one"
                .formatted(alt, png.length));
      }
    }

    /// Without a link.
    public Image(byte[] png, String alt, List<String> lines) {
      this(png, alt, lines, null);
    }

    int width() {
      return ByteBuffer.wrap(png).getInt(WIDTH_AT);
    }

    int height() {
      return ByteBuffer.wrap(png).getInt(WIDTH_AT + 4);
    }
  }
}
