package fathom.data;

import fathom.data.ImageStream.Made;
import fathom.data.ImageStream.Part;
import fathom.data.ImageStream.Range;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import javax.imageio.IIOException;
import org.jspecify.annotations.Nullable;

/// Reads the chunks of a PNG file, each of which is length, name, content and checksum. The pixels
/// need the header, the palette and the data; transparency is ignored ([Colours]). A file without
/// its last chunk is complete if its data are.
final class PngChunks {
  static final int SIGNATURE = 8;
  private static final int HEADER = 13;
  private static final int PALETTE = 3;
  private static final Part END = new Made(HexFormat.of().parseHex("0000000049454e44ae426082"));

  /// The most bytes that are read in search of an orientation; no orientation takes more.
  private static final int MOST_PROFILE = 1 << 20;

  private static final String RAW = "Raw profile type ";

  private final ImageStream in;
  private final List<Part> kept = new ArrayList<>();
  private byte[] header = {};
  private boolean greyPalette;
  private boolean pixels;
  private @Nullable Orientation orientation;

  private PngChunks(ImageStream in) {
    this.in = in;
  }

  static Container of(ImageStream in) throws IOException {
    return new PngChunks(in).read();
  }

  private Container read() throws IOException {
    kept.add(new Range(0, SIGNATURE));
    long at = SIGNATURE;
    String name = "";
    while (at + 8 <= in.length() && !name.equals("IEND")) {
      in.seek(at);
      long length = in.readUnsignedInt();
      name = new String(in.bytes(4), StandardCharsets.ISO_8859_1);
      long next = at + 12 + length;
      if (next > in.length() && !(pixels && isExtra(name)) && !name.equals("IEND")) {
        throw new EOFException("its part %s is cut short".formatted(name));
      }
      chunk(name, new Range(at, 12 + length), length);
      at = next;
    }
    if (header.length != HEADER || !pixels) {
      throw new IIOException("it has no pixels");
    }
    kept.add(END);
    int colour = header[9];
    int channels = colour == 2 ? 3 : colour == 4 ? 2 : colour == 6 ? 4 : 1;
    return new Container(
        "png",
        number(header, 0),
        number(header, 4),
        colour == PALETTE ? greyPalette : (colour & 2) == 0,
        orientation == null ? Orientation.UPRIGHT : orientation,
        header[8] == 16 ? 2 * channels : channels,
        null,
        List.copyOf(kept),
        null);
  }

  /// Returns whether an image is complete without a chunk of this name.
  static boolean isExtra(String name) {
    return Character.isLowerCase(name.charAt(0));
  }

  private void chunk(String name, Range whole, long length) throws IOException {
    switch (name) {
      case "IHDR" -> {
        header = in.bytes(Math.min(length, HEADER + 1));
        kept.add(whole);
      }
      case "PLTE" -> {
        if (header.length > 9 && header[9] == PALETTE) { // otherwise it is only a suggestion
          greyPalette = areGrey(in.bytes(Math.min(length, 3 * 256)));
          kept.add(whole);
        }
      }
      case "IDAT" -> {
        pixels = true;
        kept.add(whole);
      }
      case "IEND" -> {}
      case "eXIf" -> orientation(in.bytes(Math.min(length, MOST_PROFILE)));
      case "tEXt", "zTXt", "iTXt" -> {
        if (length < MOST_PROFILE && orientation == null) {
          text(name, in.bytes(length));
        }
      }
      default -> {
        if (!isExtra(name)) {
          throw new IIOException(
              "its part %s changes the pixels in a way that is not known".formatted(name));
        }
      }
    }
  }

  private static boolean areGrey(byte[] palette) {
    for (int i = 0; i + 2 < palette.length; i += 3) {
      if (palette[i] != palette[i + 1] || palette[i] != palette[i + 2]) {
        return false;
      }
    }
    return true;
  }

  private void orientation(byte[] exif) {
    if (orientation == null) {
      orientation = Orientation.ofExif(exif);
    }
  }

  /// Reads the orientation from a text chunk. ImageMagick, and programs that get PNG files from it,
  /// write Exif as a text: a line with its kind, one with its length, and its bytes in hexadecimal
  /// digits.
  private void text(String name, byte[] content) {
    int end = end(content, 0);
    String key = new String(content, 0, end, StandardCharsets.ISO_8859_1);
    if (!key.equals(RAW + "exif") && !key.equals(RAW + "APP1")) {
      return;
    }
    byte[] text =
        switch (name) {
          case "tEXt" -> from(content, end + 1);
          case "zTXt" -> inflated(from(content, end + 2));
          default -> {
            // Before the text are a compression flag and method, the language, and the translated
            // key.
            byte[] rest = from(content, end(content, end(content, end + 3) + 1) + 1);
            yield end + 1 < content.length && content[end + 1] == 1 ? inflated(rest) : rest;
          }
        };
    String[] lines = new String(text, StandardCharsets.ISO_8859_1).strip().split("\\s+", 3);
    if (lines.length == 3) {
      try {
        orientation(HexFormat.of().parseHex(lines[2].replaceAll("\\s", "")));
      } catch (IllegalArgumentException e) {
        // The text is not hexadecimal, so it says nothing.
      }
    }
  }

  /// Returns where the text that starts at `from` ends.
  private static int end(byte[] content, int from) {
    int end = Math.min(from, content.length);
    while (end < content.length && content[end] != 0) {
      end++;
    }
    return end;
  }

  private static byte[] from(byte[] content, int start) {
    return start >= content.length
        ? new byte[0]
        : Arrays.copyOfRange(content, start, content.length);
  }

  /// Inflates as much as possible, because the beginning may be enough.
  private static byte[] inflated(byte[] packed) {
    byte[] text = new byte[MOST_PROFILE];
    int length = 0;
    var inflater = new Inflater();
    try {
      inflater.setInput(packed);
      for (int n = 1; n > 0 && length < text.length; length += n) {
        n = inflater.inflate(text, length, text.length - length);
      }
    } catch (DataFormatException e) {
      // The bytes that were inflated before the damage may be enough.
    } finally {
      inflater.end();
    }
    return Arrays.copyOf(text, length);
  }

  private static int number(byte[] bytes, int at) {
    return ByteBuffer.wrap(bytes).getInt(at);
  }
}
