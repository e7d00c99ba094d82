package fathom.report;

import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Images side by side, each with lines of text. Small images are enlarged by repeating pixels.
///
/// @param images the images in their order
public record Gallery(List<Image> images) implements Block {
  /// The first eight bytes of every PNG file.
  private static final long SIGNATURE = 0x89504e470d0a1a0aL;

  private static final int WIDTH_AT = 16;

  /// Copies the list of images.
  public Gallery {
    images = List.copyOf(images);
  }

  /// A link below an image.
  ///
  /// @param words the text of the link
  /// @param href a URI, absolute or relative to the page
  public record Link(String words, String href) {}

  /// An image in a gallery.
  ///
  /// @param png the bytes of a PNG file
  /// @param alt the text that stands for the image where it cannot be seen
  /// @param lines the text below the image
  /// @param link the origin of the image; null where there is nothing to open
  public record Image(byte[] png, String alt, List<String> lines, @Nullable Link link) {
    /// Copies the lines.
    ///
    /// @throws IllegalArgumentException if the bytes do not begin like a PNG file
    public Image {
      lines = List.copyOf(lines);
      if (png.length < WIDTH_AT + 8 || ByteBuffer.wrap(png).getLong() != SIGNATURE) {
        throw new IllegalArgumentException(
            "an image in a gallery is a PNG file, but \"%s\" has %s bytes and does not begin like one"
                .formatted(alt, png.length));
      }
    }

    /// Creates an image without a link.
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
