package fathom.data;

import fathom.data.ImageStream.Made;
import fathom.data.ImageStream.Part;
import fathom.data.ImageStream.Range;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import javax.imageio.IIOException;
import org.jspecify.annotations.Nullable;

/// Reads the chunks of a WebP file, each of which is name, length and content, padded to even
/// length. The decoder receives only the chunk with the pixels; transparency is ignored
/// ([Colours]). For an animation this is the first frame, at its place on the canvas, which is
/// black outside the frame, as libwebp leaves it.
final class WebpChunks {
  private static final int HEAD = 12;
  private static final int CHUNK = 8;
  private static final int FRAME = 16;
  private static final int PROFILED = 0x20;
  private static final int LOSSLESS = 0x2f;
  private static final int MOST_EXIF = 1 << 20;

  /// The number of zeros that are added after the pixels, because the decoder of lossless files
  /// reads so far ahead.
  private static final int READ_AHEAD = 16;

  private final ImageStream in;
  private @Nullable Range pixels;
  private @Nullable Range profile;
  private @Nullable Orientation orientation;
  private int canvasWidth;
  private int canvasHeight;
  private int left;
  private int top;
  private int width;
  private int height;
  private boolean lossless;

  private WebpChunks(ImageStream in) {
    this.in = in;
  }

  static Container of(ImageStream in) throws IOException {
    return new WebpChunks(in).read();
  }

  private Container read() throws IOException {
    in.setByteOrder(ByteOrder.LITTLE_ENDIAN);
    in.seek(4);
    chunks(HEAD, Math.min(in.length(), CHUNK + in.readUnsignedInt()));
    Range of = pixels;
    if (of == null) {
      throw new IIOException("it has no pixels");
    }
    boolean canvas = canvasWidth > 0;
    if (canvas && (left + width > canvasWidth || top + height > canvasHeight)) {
      throw new IIOException(
          "its frame of %s×%s at %s, %s lies outside of its canvas of %s×%s"
              .formatted(width, height, left, top, canvasWidth, canvasHeight));
    }
    boolean whole = !canvas || (width == canvasWidth && height == canvasHeight);
    return new Container(
        "webp",
        whole ? width : canvasWidth,
        whole ? height : canvasHeight,
        false,
        orientation == null ? Orientation.UPRIGHT : orientation,
        8,
        whole ? null : new Container.Frame(left, top, width, height, 0),
        parts(of, null),
        profile == null ? null : parts(of, profile));
  }

  private void chunks(long from, long to) throws IOException {
    long at = from;
    while (at + CHUNK <= to) {
      in.seek(at);
      String name = new String(in.bytes(4), StandardCharsets.ISO_8859_1);
      long length = in.readUnsignedInt();
      var whole = new Range(at, CHUNK + length);
      long next = at + CHUNK + length + (length & 1);
      switch (name) {
        case "VP8X" -> {
          in.skipBytes(4);
          canvasWidth = 1 + number(in.bytes(3));
          canvasHeight = 1 + number(in.bytes(3));
        }
        case "ICCP" -> {
          if (Profile.isFor(in.bytes(length), "RGB ")) {
            profile = whole;
          }
        }
        case "EXIF" -> {
          if (orientation == null) {
            orientation = Orientation.ofExif(in.bytes(Math.min(length, MOST_EXIF)));
          }
        }
        case "ANMF" -> {
          if (pixels == null) {
            left = 2 * number(in.bytes(3));
            top = 2 * number(in.bytes(3));
            chunks(at + CHUNK + FRAME, Math.min(to, next));
          }
        }
        case "VP8 " -> {
          if (pixels == null) {
            lossy(whole);
          }
        }
        case "VP8L" -> {
          if (pixels == null) {
            lossless(whole);
          }
        }
        default -> {}
      }
      at = next;
    }
  }

  /// Reads the size from the head of lossy pixels (RFC 6386, section 9.1): a tag of 3 bytes, a
  /// start code of 3, then twice 14 bits of size.
  private void lossy(Range whole) throws IOException {
    in.skipBytes(6);
    width = in.readUnsignedShort() & 0x3fff;
    height = in.readUnsignedShort() & 0x3fff;
    pixels = whole;
  }

  /// Reads the size from the head of lossless pixels (RFC 9649, section 3.4): a signature, then
  /// twice 14 bits of size minus 1.
  private void lossless(Range whole) throws IOException {
    if (in.readUnsignedByte() != LOSSLESS) {
      throw new IIOException("its pixels do not start as lossless ones");
    }
    int sizes = in.readInt();
    width = 1 + (sizes & 0x3fff);
    height = 1 + (sizes >> 14 & 0x3fff);
    lossless = true;
    pixels = whole;
  }

  /// Makes a file of the pixels' chunk alone, or of a head that announces a profile, the profile,
  /// and the pixels' chunk.
  private List<Part> parts(Range pixels, @Nullable Range profile) {
    long content = pixels.length() - CHUNK;
    var chunk =
        ByteBuffer.allocate(CHUNK)
            .order(ByteOrder.LITTLE_ENDIAN)
            .put((lossless ? "VP8L" : "VP8 ").getBytes(StandardCharsets.US_ASCII))
            .putInt((int) content + READ_AHEAD);
    var end = new Made(new byte[READ_AHEAD + (int) (content & 1)]);
    var data = new Range(pixels.from() + CHUNK, content);
    long size = 4 + CHUNK + content + end.length();
    if (profile == null) {
      return List.of(riff(size), new Made(chunk.array()), data, end);
    }
    var head =
        ByteBuffer.allocate(CHUNK + 10)
            .order(ByteOrder.LITTLE_ENDIAN)
            .put("VP8X".getBytes(StandardCharsets.US_ASCII))
            .putInt(10)
            .putInt(PROFILED)
            .put(three(width - 1))
            .put(three(height - 1));
    var filled = new Made(new byte[(int) (profile.length() & 1)]);
    size += head.capacity() + profile.length() + filled.length();
    return List.of(
        riff(size), new Made(head.array()), profile, filled, new Made(chunk.array()), data, end);
  }

  private static Made riff(long size) {
    return new Made(
        ByteBuffer.allocate(HEAD)
            .order(ByteOrder.LITTLE_ENDIAN)
            .put("RIFF".getBytes(StandardCharsets.US_ASCII))
            .putInt((int) size)
            .put("WEBP".getBytes(StandardCharsets.US_ASCII))
            .array());
  }

  private static byte[] three(int number) {
    return new byte[] {(byte) number, (byte) (number >> 8), (byte) (number >> 16)};
  }

  private static int number(byte[] three) throws IOException {
    if (three.length < 3) {
      throw new IIOException("it ends within a size");
    }
    return (three[0] & 0xff) | ((three[1] & 0xff) << 8) | ((three[2] & 0xff) << 16);
  }
}
