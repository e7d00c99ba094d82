package fathom.report;

import java.nio.ByteBuffer;
import java.util.List;

/// Pictures side by side, each with what is said of it. Small ones are enlarged, pixel by pixel.
public record Gallery(List<Picture> pictures) implements Block {
  /// The first bytes of a PNG file: the signature, and the length and name of the header.
  private static final long SIGNATURE = 0x89504e470d0a1a0aL;

  private static final int WIDTH_AT = 16;

  public Gallery {
    pictures = List.copyOf(pictures);
  }

  /// A picture in a gallery.
  ///
  /// @param png the bytes of a PNG file
  /// @param alt what stands for the picture where it is not seen
  /// @param lines what is said below it
  public record Picture(byte[] png, String alt, List<String> lines) {
    /// @throws IllegalArgumentException unless it begins like a PNG file
    public Picture {
      lines = List.copyOf(lines);
      if (png.length < WIDTH_AT + 8 || ByteBuffer.wrap(png).getLong() != SIGNATURE) {
        throw new IllegalArgumentException(
            "a picture in a gallery is a PNG file, but \"%s\" has %s bytes and does not begin like one"
                .formatted(alt, png.length));
      }
    }

    int width() {
      return ByteBuffer.wrap(png).getInt(WIDTH_AT);
    }

    int height() {
      return ByteBuffer.wrap(png).getInt(WIDTH_AT + 4);
    }
  }
}
